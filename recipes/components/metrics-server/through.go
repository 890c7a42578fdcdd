package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// patience is how long a connection may take to come about where the caller sets no limit.
const patience = 20 * time.Second

// through connects with an address by asking for it (CONNECT, RFC 9110 section 9.3.6) at a Unix socket.
func through(socket string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, err
		}
		if err := ask(ctx, connection, address); err != nil {
			connection.Close()
			return nil, fmt.Errorf("connect with %s: %w", address, err)
		}
		return connection, nil
	}
}

func ask(ctx context.Context, connection net.Conn, address string) error {
	// Whoever waits no longer ends the wait here too.
	defer context.AfterFunc(ctx, func() { connection.SetDeadline(time.Unix(1, 0)) })()
	if _, err := fmt.Fprintf(connection, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", address, address); err != nil {
		return err
	}
	// Of TLS the caller speaks first: nothing follows the answer that would be read ahead.
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", answer.Status)
	}
	return nil
}
