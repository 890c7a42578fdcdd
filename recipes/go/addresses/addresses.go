// Package govalidator has the three questions that `helm lint` asks of the module of this name, which compiles forty regular
// expressions when it is initialised, in every process that helm is linked into.
package govalidator

import (
	"net/mail"
	"net/url"
	"strings"
)

// IsEmail says whether a text is a plain address of electronic mail.
func IsEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// IsURL says whether a text leads to a host, with or without saying by which protocol.
func IsURL(text string) bool {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	return IsRequestURL(text)
}

// IsRequestURL says whether a text is a whole URL.
func IsRequestURL(text string) bool {
	parsed, err := url.ParseRequestURI(text)
	return err == nil && parsed.Scheme != "" && !strings.ContainsAny(text, " \t\r\n")
}
