// Metrics-server with upstream's options and server. Kubelets listen on their own loopback alone: they are called through the
// socket by which the supervisor connects with them, named by SK8S_KUBELETS.
package main

import (
	"errors"
	"fmt"
	"os"

	_ "components.skerry.dev/pace"
	"github.com/spf13/cobra"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/pkg/version"
	"k8s.io/component-base/cli"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"
)

func main() {
	os.Exit(cli.Run(command()))
}

func command() *cobra.Command {
	opts := options.NewOptions()
	command := &cobra.Command{
		Use:          "metrics-server",
		Short:        "What nodes and pods use of processors and memory, as a part of the API",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			if opts.ShowVersion {
				fmt.Println("metrics-server", version.Get().GitVersion)
				return nil
			}
			return run(opts)
		},
	}
	sets := opts.Flags()
	for _, set := range sets.FlagSets {
		command.Flags().AddFlagSet(set)
	}
	return command
}

func run(opts *options.Options) error {
	if err := errors.Join(opts.Validate()...); err != nil {
		return err
	}
	config, err := opts.ServerConfig()
	if err != nil {
		return err
	}
	if socket := os.Getenv("SK8S_KUBELETS"); socket != "" {
		config.Kubelet.Client.Dial = through(socket)
	}
	server, err := config.Complete()
	if err != nil {
		return err
	}
	return server.RunUntil(genericapiserver.SetupSignalHandler())
}
