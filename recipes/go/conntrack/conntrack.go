// Package conntrack has what Prometheus' HTTP client asks of the module of this name: a dialer. That module also draws pages of every
// connection, with templates, which call methods by name; whatever is linked with those keeps every method of every type.
package conntrack

import (
	"context"
	"net"
)

// Dial makes a connection, as net.Dialer.DialContext does.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Option changes the way in which a dialer dials.
type Option func(*Dial)

// NewDialContextFunc gives a plain dialer with the options in their order.
func NewDialContextFunc(options ...Option) Dial {
	dial := (&net.Dialer{}).DialContext
	for _, option := range options {
		option(&dial)
	}
	return dial
}

// DialWithDialContextFunc dials by other means.
func DialWithDialContextFunc(other Dial) Option {
	return func(dial *Dial) { *dial = other }
}

// DialWithTracing would keep a record of each connection; there is none.
func DialWithTracing() Option {
	return func(*Dial) {}
}

// DialWithName would name the connections in metrics and in the record; there are none.
func DialWithName(string) Option {
	return func(*Dial) {}
}
