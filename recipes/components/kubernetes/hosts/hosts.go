// Package hosts gives a program a table of host names of its own in the place of /etc/hosts, of the same form (hosts(5)).
//
// kube-apiserver calls nodes by their names, which none but its egress proxy has to know. Before it hands a request on to a node
// (nodes/NAME/proxy), though, it looks the name up, to refuse those that lead to the machine itself.
package hosts

import (
	_ "net" // whose variable it is: made before ours is set
	"os"
	_ "unsafe" // for go:linkname
)

// A variable that the standard library keeps for its own tests: if it goes, the program does not link any more.
//
//go:linkname path net.hostsFilePath
var path string

func init() {
	if own := os.Getenv("SK8S_HOSTS"); own != "" {
		path = own
	}
}
