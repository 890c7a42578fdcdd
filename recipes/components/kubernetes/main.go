// Kube is Kubernetes' components as one program: the part to run is named by the program's own name or by its first argument.
//
// No package of it may reach reflection's methods by name, as templates do: the linker then keeps every method there is.
package main

import (
	"context"
	_ "time/tzdata" // time zones of CronJobs

	_ "components.skerry.dev/kubernetes/hosts"
	"components.skerry.dev/kubernetes/part"
	_ "components.skerry.dev/pace"
	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // the JSON log format
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of the API client
	_ "k8s.io/component-base/metrics/prometheus/version"  // metric of the version
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	part.Run("kube", []part.Part{
		{Name: "kube-apiserver", Run: component(func() *cobra.Command { return apiserver.NewAPIServerCommand() })},
		{Name: "kube-controller-manager", Run: component(controllermanager.NewControllerManagerCommand)},
		{Name: "kube-scheduler", Run: component(func() *cobra.Command { return scheduler.NewSchedulerCommand() })},
		{Name: "kube-proxy", Run: component(proxy.NewProxyCommand)},
		{Name: "kubelet", Run: component(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) })},
	})
}

func component(command func() *cobra.Command) func() int {
	return func() int { return cli.Run(command()) }
}
