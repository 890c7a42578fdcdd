//go:build tools

// Package suite pins Kubernetes' end-to-end suite among the modules of the components, so that what both need is compiled once.
package suite

import (
	_ "github.com/onsi/ginkgo/v2/ginkgo"
	_ "k8s.io/kubernetes/test/e2e"
)
