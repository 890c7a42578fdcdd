//go:build tools

// Package nonewprivs pins the program that the image is made of.
package nonewprivs

import _ "k8s.io/kubernetes/test/images/nonewprivs"
