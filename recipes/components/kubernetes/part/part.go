// Package part lets one program be several.
package part

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Part is one of the programs; it is made only when it runs, and gives its exit status.
type Part struct {
	Name string
	Run  func() int
}

// Run is the part that the program's own name or its first argument names, and ends with it. Without one it says which there are.
func Run(program string, parts []Part) {
	run := find(parts, filepath.Base(os.Args[0]))
	if run == nil && len(os.Args) > 1 {
		// Shift, so that each part sees its own name where it expects it.
		run = find(parts, os.Args[1])
		os.Args = os.Args[1:]
	}
	if run == nil {
		fmt.Fprintln(os.Stderr, usage(program, parts))
		os.Exit(2)
	}
	os.Exit(run())
}

func find(parts []Part, name string) func() int {
	for _, part := range parts {
		if part.Name == name {
			return part.Run
		}
	}
	return nil
}

func usage(program string, parts []Part) string {
	names := make([]string, len(parts))
	for i, part := range parts {
		names[i] = part.Name
	}
	return fmt.Sprintf("usage: %s {%s} [argument...]", program, strings.Join(names, "|"))
}
