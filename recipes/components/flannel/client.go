package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// How long the API server is asked to keep a watch open: then it is opened again, with certificates as they are then.
const watchSeconds = 300

// How long a request other than a watch may take.
const patience = 30 * time.Second

// errGone: the API server no longer knows the version that a watch is to go on from.
var errGone = errors.New("version is gone")

// node has the parts of a node object that matter here.
type node struct {
	Metadata struct {
		Name            string            `json:"name"`
		ResourceVersion string            `json:"resourceVersion"`
		Annotations     map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		PodCIDR  string   `json:"podCIDR"`
		PodCIDRs []string `json:"podCIDRs"`
	} `json:"spec"`
}

// client makes the few requests it takes, over HTTP/1.1: a dead connection is then one watch's and no other's.
type client struct {
	access *access
	http   *http.Client
}

func newClient(path string) (*client, error) {
	access, err := readAccess(path)
	if err != nil {
		return nil, err
	}
	// The other side of a watch may vanish without a word: half a minute of silence to probes ends it.
	alive := net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAliveConfig: alive}
	transport := &http.Transport{
		DialContext:           dialer.DialContext,
		TLSClientConfig:       access.tls(),
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: patience,
		IdleConnTimeout:       time.Minute,
		MaxIdleConns:          1,
	}
	return &client{access: access, http: &http.Client{Transport: transport}}, nil
}

// send makes a request; the caller closes the body. Whatever fails takes idle connections along, so that the next attempt
// is made with a new one and with certificates as they are then.
func (c *client) send(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
	target := *c.access.server
	target.Path += path
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "sk8s-flannel")
	if c.access.token.given() {
		token, err := c.access.token.read()
		if err != nil {
			return nil, fmt.Errorf("read token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.http.CloseIdleConnections()
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer c.http.CloseIdleConnections()
	defer response.Body.Close()
	return nil, refusal(response)
}

// refusal has the server's own words, where they are the usual Status object.
func refusal(response *http.Response) error {
	if response.StatusCode == http.StatusGone {
		return errGone
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	var status struct{ Message string }
	if err := json.Unmarshal(text, &status); err == nil && status.Message != "" {
		return fmt.Errorf("%s: %s", response.Status, status.Message)
	}
	return errors.New(response.Status)
}

// list returns all nodes and the version to watch from.
func (c *client) list(ctx context.Context) ([]node, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := c.send(ctx, http.MethodGet, "/api/v1/nodes", nil, nil)
	if err != nil {
		return nil, "", fmt.Errorf("list nodes: %w", err)
	}
	defer body.Close()
	var answer struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []node `json:"items"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return nil, "", fmt.Errorf("list nodes: %w", err)
	}
	return answer.Items, answer.Metadata.ResourceVersion, nil
}

// watch calls each with every change since a version, until the server ends it, and returns the version reached.
func (c *client) watch(ctx context.Context, version string, each func(kind string, changed node)) (string, error) {
	query := url.Values{
		"watch":               {"true"},
		"resourceVersion":     {version},
		"allowWatchBookmarks": {"true"},
		"timeoutSeconds":      {fmt.Sprint(watchSeconds)},
	}
	body, err := c.send(ctx, http.MethodGet, "/api/v1/nodes", query, nil)
	if err != nil {
		return version, fmt.Errorf("watch nodes: %w", err)
	}
	defer body.Close()
	for decoder := json.NewDecoder(body); ; {
		var event struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := decoder.Decode(&event); errors.Is(err, io.EOF) {
			return version, nil
		} else if err != nil {
			return version, fmt.Errorf("watch nodes: %w", err)
		}
		if event.Type == "ERROR" {
			return version, failure(event.Object)
		}
		var changed node
		if err := json.Unmarshal(event.Object, &changed); err != nil {
			return version, fmt.Errorf("watch nodes: %w", err)
		}
		version = changed.Metadata.ResourceVersion
		if event.Type != "BOOKMARK" {
			each(event.Type, changed)
		}
	}
}

func failure(object []byte) error {
	var status struct {
		Code    int
		Message string
	}
	if err := json.Unmarshal(object, &status); err != nil {
		return fmt.Errorf("watch nodes: %w", err)
	}
	if status.Code == http.StatusGone {
		return errGone
	}
	return fmt.Errorf("watch nodes: %s", status.Message)
}

// annotate sets annotations of a node; nil removes one.
func (c *client) annotate(ctx context.Context, name string, annotations map[string]*string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	patch := map[string]any{"metadata": map[string]any{"annotations": annotations}}
	text, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	body, err := c.send(ctx, http.MethodPatch, "/api/v1/nodes/"+url.PathEscape(name), nil, text)
	if err != nil {
		return fmt.Errorf("annotate node %s: %w", name, err)
	}
	return body.Close()
}
