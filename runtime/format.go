package es

import (
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
)

// formats are the values of the keyword "format". The checks accept exactly what
// santhosh-tekuri/jsonschema/v5 accepts with its formats asserted, so that a service and its exported
// schema never disagree; where that is odd (an IPv4 group "+1"), so is this.
var formats = map[string]struct {
	check func(string) bool
	noun  string
}{
	"email":    {isEmail, "an e-mail address"},
	"uri":      {isURI, "an absolute URI"},
	"hostname": {isHostname, "a host name"},
	"ipv4":     {isIPv4, "an IPv4 address"},
	"ipv6":     {isIPv6, "an IPv6 address"},
}

func isEmail(s string) bool {
	if len(s) > 254 {
		return false
	}
	at := strings.LastIndexByte(s, '@')
	if at == -1 || at > 64 {
		return false
	}
	domain := s[at+1:]
	if len(domain) >= 2 && domain[0] == '[' && domain[len(domain)-1] == ']' {
		ip := domain[1 : len(domain)-1]
		if six, ok := strings.CutPrefix(ip, "IPv6:"); ok {
			return isIPv6(six)
		}
		return isIPv4(ip)
	}
	if !isHostname(domain) {
		return false
	}
	_, err := mail.ParseAddress(s)
	return err == nil
}

func isHostname(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 || len(s) == 0 || s[0] == '-' {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) < 1 || len(label) > 63 || label[len(label)-1] == '-' {
			return false
		}
		for i := 0; i < len(label); i++ {
			c := label[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

func isIPv4(s string) bool {
	groups := strings.SplitN(s, ".", 5)
	if len(groups) != 4 {
		return false
	}
	for _, group := range groups {
		n, err := strconv.Atoi(group)
		if err != nil || n < 0 || n > 255 || n != 0 && group[0] == '0' {
			return false
		}
	}
	return true
}

func isIPv6(s string) bool {
	return strings.Contains(s, ":") && net.ParseIP(s) != nil
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return false
	}
	host := u.Hostname()
	if !strings.Contains(host, ":") {
		return true
	}
	return strings.Contains(u.Host, "[") && strings.Contains(u.Host, "]") && isIPv6(host)
}
