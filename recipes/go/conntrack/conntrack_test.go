package conntrack

import (
	"context"
	"errors"
	"net"
	"testing"
)

func TestADialerReachesAListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dial := NewDialContextFunc(DialWithTracing(), DialWithName("one"))
	connection, err := dial(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	connection.Close()
}

func TestOtherMeansOfDialingAreUsed(t *testing.T) {
	refused := errors.New("refused")
	other := func(context.Context, string, string) (net.Conn, error) { return nil, refused }
	if _, err := NewDialContextFunc(DialWithDialContextFunc(other))(context.Background(), "tcp", "nowhere"); err != refused {
		t.Errorf("got %v", err)
	}
}
