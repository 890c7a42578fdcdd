//go:build tools

// Package agnhost pins Kubernetes' end-to-end suite at the version of the image that most of its tests run.
package agnhost

import (
	_ "github.com/onsi/ginkgo/v2/ginkgo"
	_ "k8s.io/kubernetes/test/e2e"
	_ "k8s.io/kubernetes/test/images/agnhost"
)
