package main

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const kubeconfigText = `
apiVersion: v1
kind: Config
current-context: us@here
clusters:
- name: elsewhere
  cluster: {server: "https://192.0.2.1:6443"}
- name: here
  cluster:
    server: %s
    certificate-authority-data: %s
contexts:
- name: us@here
  context: {cluster: here, user: us}
users:
- name: us
  user: {tokenFile: token}
`

// connect returns a client of a server that knows its token.
func connect(t *testing.T, serve http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"kind":"Status","message":"Unauthorized"}`)
			return
		}
		serve(w, r)
	}))
	t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	folder := t.TempDir()
	config := filepath.Join(folder, "kubeconfig")
	text := fmt.Sprintf(kubeconfigText, server.URL, base64.StdEncoding.EncodeToString(authority))
	for path, text := range map[string]string{config: text, filepath.Join(folder, "token"): "secret\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client, err := newClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAVersionThatIsGoneIsFollowedByANewList(t *testing.T) {
	lists := 0
	client := connect(t, func(w http.ResponseWriter, r *http.Request) {
		switch version := r.URL.Query().Get("resourceVersion"); version {
		case "":
			lists++
			fmt.Fprintf(w, `{"metadata":{"resourceVersion":"%d"},"items":[{"metadata":{"name":"list%d"}}]}`, lists, lists)
		case "1":
			fmt.Fprintln(w, `{"type":"ADDED","object":{"metadata":{"name":"added","resourceVersion":"7"}}}`)
			fmt.Fprintln(w, `{"type":"DELETED","object":{"metadata":{"name":"list1","resourceVersion":"8"}}}`)
			fmt.Fprintln(w, `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}`)
		case "9":
			fmt.Fprintln(w, `{"type":"ERROR","object":{"code":410,"message":"too old resource version"}}`)
		default:
			<-r.Context().Done()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	mirror := newMirror(client)
	go mirror.run(ctx)
	var seen []string
	for {
		records, changed := mirror.state()
		var names []string
		for _, name := range []string{"list1", "added", "list2"} {
			if _, there := records[name]; there {
				names = append(names, name)
			}
		}
		seen = append(seen, strings.Join(names, "+"))
		if seen[len(seen)-1] == "list2" {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("never listed again; seen: %q", seen)
		}
	}
}

func TestAnAnnotationIsRemovedByNull(t *testing.T) {
	var path, body string
	client := connect(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		path, body = r.Method+" "+r.URL.Path, string(text)
		fmt.Fprint(w, "{}")
	})
	value := "here"
	if err := client.annotate(t.Context(), "barn", map[string]*string{"a": &value, "b": nil}); err != nil {
		t.Fatal(err)
	}
	if path != "PATCH /api/v1/nodes/barn" || body != `{"metadata":{"annotations":{"a":"here","b":null}}}` {
		t.Error(path, body)
	}
}

func TestARefusalIsToldInTheServersWords(t *testing.T) {
	client := connect(t, func(http.ResponseWriter, *http.Request) { t.Error("let in without the token") })
	client.access.token = source{text: "guessed"}
	_, _, err := client.list(t.Context())
	if err == nil || err.Error() != "list nodes: 401 Unauthorized: Unauthorized" {
		t.Error(err)
	}
}
