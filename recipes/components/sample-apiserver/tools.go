//go:build tools

// Package sampleapiserver pins the API server that Kubernetes' end-to-end suite adds to a cluster, and the etcd beside it.
package sampleapiserver

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/sample-apiserver"
)
