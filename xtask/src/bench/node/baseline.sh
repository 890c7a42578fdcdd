# The peer: the same components, started one after the other by a shell with the flags that k0s documents, waiting for each.
# In namespaces of its own. $1: folder for everything, $2: components, $3: CNI programs, $4: pause image's reference and archive.
set -eu
work=$1; bin=$2; cni=$3; pause=$4; archive=$5
pki=$work/pki; mkdir -p "$pki" "$work/cni" "$work/kubelet" "$work/db"
cd "$pki"

authority() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; openssl req -x509 -new -key $1.key -subj "/CN=$1" -days 3650 -out $1.crt; }
leaf() { # name, subject, authority, extension
  openssl ecparam -name prime256v1 -genkey -noout -out $1.key
  printf '%s\n' "$4" > $1.ext
  openssl req -new -key $1.key -subj "$2" | openssl x509 -req -CA $3.crt -CAkey $3.key -CAcreateserial -days 365 -extfile $1.ext -out $1.crt 2>/dev/null
}
kubeconfig() { # name
  cat > $1.conf <<END
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $pki/ca.crt}}]
users: [{name: u, user: {client-certificate: $pki/$1.crt, client-key: $pki/$1.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
END
}
client='extendedKeyUsage=clientAuth'
authority ca; authority front-proxy-ca
openssl ecparam -name prime256v1 -genkey -noout -out sa.key; openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
leaf server /CN=kube-apiserver ca 'subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:192.0.2.10'
leaf kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client ca "$client"
leaf front-proxy-client /CN=front-proxy-client front-proxy-ca "$client"
leaf admin /O=system:masters/CN=admin ca "$client"; kubeconfig admin
leaf kcm /CN=system:kube-controller-manager ca "$client"; kubeconfig kcm
leaf scheduler /CN=system:kube-scheduler ca "$client"; kubeconfig scheduler
leaf proxy /CN=system:kube-proxy ca "$client"; kubeconfig proxy
leaf node /O=system:nodes/CN=system:node:barn ca "$client"; kubeconfig node
leaf node-server /CN=barn ca 'subjectAltName=DNS:barn,IP:192.0.2.10'

cat > "$work/cni/10-bridge.conflist" <<END
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
 {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
 {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
cat > "$work/containerd.toml" <<END
version = 3
root = '$work/containerd'
state = '$work/run'
[grpc]
address = '$work/containerd.sock'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '$pause'
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['$cni']
conf_dir = '$work/cni'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '$bin/runc'
SystemdCgroup = false
END
cat > "$work/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/node-server.crt
tlsPrivateKeyFile: $pki/node-server.key
containerRuntimeEndpoint: unix://$work/containerd.sock
cgroupDriver: cgroupfs
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
failSwapOn: false
failCgroupV1: false
eventRecordQPS: 0
END
cat > "$work/proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $pki/proxy.conf}
clusterCIDR: 10.244.0.0/16
mode: nftables
END

until_ok() { until "$@" >/dev/null 2>&1; do sleep 0.1; done; }
run() { name=$1; shift; PATH=$bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" > "$work/$name.log" 2>&1 & }
kube() { name=$1; shift; run $name "$bin/kube" $name "$@"; }
kubectl() { "$bin/clients" kubectl --kubeconfig "$pki/admin.conf" "$@"; }

: > "$work/begun"
run kine "$bin/kine" --listen-address "unix://$work/kine.sock" --metrics-bind-address 0 \
  --endpoint "sqlite://$work/db/state.db?_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_txlock=immediate"
until_ok test -S "$work/kine.sock"
kube kube-apiserver --etcd-servers="unix://$work/kine.sock" --secure-port=6443 --advertise-address=192.0.2.10 \
  --tls-cert-file=server.crt --tls-private-key-file=server.key --client-ca-file=ca.crt --allow-privileged=true \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --anonymous-auth=false --profiling=false \
  --enable-bootstrap-token-auth=true --service-cluster-ip-range=10.96.0.0/12 --tls-min-version=VersionTLS12 \
  --kubelet-client-certificate=kubelet-client.crt --kubelet-client-key=kubelet-client.key --kubelet-certificate-authority=ca.crt \
  --kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname --requestheader-client-ca-file=front-proxy-ca.crt \
  --requestheader-allowed-names=front-proxy-client --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --requestheader-group-headers=X-Remote-Group --requestheader-username-headers=X-Remote-User \
  --proxy-client-cert-file=front-proxy-client.crt --proxy-client-key-file=front-proxy-client.key \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=sa.pub --service-account-signing-key-file=sa.key
until_ok kubectl get --raw /readyz
: > "$work/readyz"
kube kube-scheduler --kubeconfig=scheduler.conf --authentication-kubeconfig=scheduler.conf --authorization-kubeconfig=scheduler.conf \
  --bind-address=127.0.0.1 --leader-elect=false --profiling=false
kube kube-controller-manager --kubeconfig=kcm.conf --authentication-kubeconfig=kcm.conf --authorization-kubeconfig=kcm.conf \
  --bind-address=127.0.0.1 --leader-elect=false --profiling=false --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 \
  --node-cidr-mask-size=24 --service-cluster-ip-range=10.96.0.0/12 --controllers='*,bootstrapsigner,tokencleaner' \
  --use-service-account-credentials=true --root-ca-file=ca.crt --cluster-signing-cert-file=ca.crt --cluster-signing-key-file=ca.key \
  --service-account-private-key-file=sa.key --cluster-name=k0s --terminated-pod-gc-threshold=12500 \
  --requestheader-client-ca-file=front-proxy-ca.crt
run containerd "$bin/containerd" --config "$work/containerd.toml"
until_ok test -S "$work/containerd.sock"
"$bin/containerd" ctr --address "$work/containerd.sock" --namespace k8s.io images import --no-unpack "$archive" > "$work/import.log" 2>&1 &
kube kubelet --config="$work/kubelet.yaml" --kubeconfig=node.conf --root-dir="$work/kubelet" --hostname-override=barn --node-ip=192.0.2.10
ready() { kubectl get node barn -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -q True; }
until_ok ready
: > "$work/ready"
kube kube-proxy --config="$work/proxy.yaml" --hostname-override=barn
wait
