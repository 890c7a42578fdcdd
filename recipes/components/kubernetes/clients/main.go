// Clients are kubectl and helm as one program: the one to run is named by the program's own name or by its first argument.
package main

import (
	"errors"
	"fmt"
	"os"

	"components.skerry.dev/kubernetes/part"
	helmcmd "helm.sh/helm/v4/pkg/cmd"
	"helm.sh/helm/v4/pkg/kube"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's ways to log in
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	part.Run("clients", []part.Part{{Name: "kubectl", Run: kubectl}, {Name: "helm", Run: helm}})
}

// kubectl does what upstream's main does: verbosity first, as its set-up reads files and starts plugins.
func kubectl() int {
	logs.GlogSetter(cmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
		return 1
	}
	return 0
}

// helm does what upstream's main does, under the name that helm's own programs leave on objects.
func helm() int {
	kube.ManagedFieldsManager = "helm"
	command, err := helmcmd.NewRootCmd(os.Stdout, os.Args[1:], helmcmd.SetupLogging)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	if err := command.Execute(); err != nil {
		var code helmcmd.CommandError
		if errors.As(err, &code) {
			return code.ExitCode
		}
		return 1
	}
	return 0
}
