// Etcd as its own main has it; that main cannot be built from elsewhere, as its module replaces others by folders. What a
// backup needs is here too (`tools.go`), so that no second program has to carry etcd's storage.
package main

import (
	"os"

	_ "components.skerry.dev/pace"
	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	if len(os.Args) > 1 {
		if tool, ok := tools[os.Args[1]]; ok {
			os.Exit(use(os.Args[1], tool, os.Args[2:]))
		}
	}
	etcdmain.Main(os.Args)
}
