# Load on a cluster, from within its namespaces. $1: folder with client.crt, client.key, ca.crt; $2: what to measure.
set -eu
keys=$1; what=$2; shift 2
api() { curl -sS --cacert "$keys/ca.crt" --cert "$keys/client.crt" --key "$keys/client.key" -H 'Content-Type: application/json' "$@"; }
server=https://127.0.0.1:6443
case $what in
writes)
  # $1 clients at a time, each making $2 objects over one connection: prints status and seconds of each
  printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"load-"},"data":{"a":"b"}}' > "$keys/body"
  for client in $(seq "$1"); do
    api -X POST --data-binary "@$keys/body" -o /dev/null -w '%{http_code} %{time_total}\n' \
      "$server/api/v1/namespaces/default/configmaps?load=[1-$2]" > "$keys/writes.$client" &
  done
  wait
  cat "$keys"/writes.* ;;
pods)
  # $1 pods of image $2 at once: prints when each was made and when it was ready, as the API tells it
  cat > "$keys/body" <<END
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"load$1"},"spec":{"replicas":$1,"selector":{"matchLabels":{"load":"l$1"}},
 "template":{"metadata":{"labels":{"load":"l$1"}},"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"$2","imagePullPolicy":"Never"}]}}}}
END
  api -X POST --data-binary "@$keys/body" -o /dev/null "$server/apis/apps/v1/namespaces/default/deployments"
  until api "$server/apis/apps/v1/namespaces/default/deployments/load$1" | grep -q "\"availableReplicas\": *$1\b"; do sleep 0.1; done
  api "$server/api/v1/namespaces/default/pods?labelSelector=load%3Dl$1" ;;
esac
