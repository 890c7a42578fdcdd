// Package words keeps kubectl's translations out of parts that talk to nobody.
//
// kubectl loads them when the first of its packages is initialised: four megabytes in every process that it is linked into. Go
// initialises packages in the order of their paths as soon as all that they import is ready, and the path of this one, which is why
// the module is named as it is, comes before kubectl's own.
package words

import (
	"os"
	"path/filepath"
	"slices"

	"k8s.io/kubectl/pkg/util/i18n"
)

func init() {
	// By the program's name or by its first argument, as main finds the part.
	names := []string{filepath.Base(os.Args[0])}
	if len(os.Args) > 1 {
		names = append(names, os.Args[1])
	}
	if !slices.Contains(names, "kubectl") {
		i18n.LoadTranslationsFunc = func() error { return nil }
	}
}
