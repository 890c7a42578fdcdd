package govalidator

import "testing"

func TestAddressesOfMail(t *testing.T) {
	for text, wanted := range map[string]bool{"ada@example.com": true, "Ada <ada@example.com>": false, "ada": false, "": false} {
		if got := IsEmail(text); got != wanted {
			t.Errorf("%q: got %t", text, got)
		}
	}
}

func TestURLs(t *testing.T) {
	for text, wanted := range map[string][2]bool{
		"https://example.com/a?b": {true, true},
		"example.com/a":           {true, false},
		"a word":                  {false, false},
		"https://exa mple":        {false, false},
	} {
		if got := [2]bool{IsURL(text), IsRequestURL(text)}; got != wanted {
			t.Errorf("%q: got %t", text, got)
		}
	}
}
