package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// answering is a socket whose every caller is answered so, and what the first of them asked for.
func answering(t *testing.T, answer string) (string, <-chan string) {
	t.Helper()
	path, asked := filepath.Join(t.TempDir(), "socket"), make(chan string, 1)
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		request, err := http.ReadRequest(bufio.NewReader(connection))
		if err != nil {
			return
		}
		asked <- request.Method + " " + request.Host
		io.WriteString(connection, answer)
		io.Copy(connection, connection)
	}()
	return path, asked
}

func TestWhatIsConnectedPassesBothWays(t *testing.T) {
	socket, asked := answering(t, "HTTP/1.1 200 Connection Established\r\n\r\n")
	connection, err := through(socket)(t.Context(), "tcp", "barn:10250")
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if got := <-asked; got != "CONNECT barn:10250" {
		t.Errorf("asked for %q", got)
	}
	io.WriteString(connection, "hello")
	back := make([]byte, 5)
	if _, err := io.ReadFull(connection, back); err != nil || string(back) != "hello" {
		t.Errorf("came back: %q, %v", back, err)
	}
}

func TestARefusalSaysWhy(t *testing.T) {
	socket, _ := answering(t, "HTTP/1.1 502 node `barn` has no link\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	_, err := through(socket)(t.Context(), "tcp", "barn:10250")
	if err == nil || !strings.Contains(err.Error(), "barn:10250: 502 node `barn` has no link") {
		t.Errorf("said: %v", err)
	}
}

func TestNobodyWaitsLongerThanTheyWantTo(t *testing.T) {
	socket, _ := answering(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := through(socket)(ctx, "tcp", "barn:10250"); err == nil {
		t.Error("connected")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
