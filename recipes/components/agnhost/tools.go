//go:build tools

// Package agnhost pins the image that most tests of Kubernetes' end-to-end suite run.
package agnhost

import _ "k8s.io/kubernetes/test/images/agnhost"
