// Etcd as its own main has it; that main cannot be built from elsewhere, as its module replaces others by folders.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
