package tcsign

import (
	"net/http"
	"net/url"
	"strings"
)

// Request is what of a request is signed.
type Request struct {
	Method string
	Path   string // as sent, escaped
	Query  string // raw, as sent: clients sign it in their own order
	Host   string // as sent, also where that is a whole URL, as tccli's is
	Header http.Header
	Form   url.Values // v1: the decoded parameters, of the query or of the body
	Body   []byte
}

// hosts returns the values that clients sign for the host that they sent: Go and
// Python the whole, Node.js without the port.
func (r *Request) hosts() []string {
	all := []string{r.Host}
	if name := withoutPort(r.Host); name != r.Host {
		all = append(all, name)
	}
	return all
}

func withoutPort(host string) string {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.Contains(host[i:], "]") || strings.Contains(host[i:], "/") {
		return host
	}
	return host[:i]
}

// paths returns the values that clients sign for the path: Go always "/".
func (r *Request) paths() []string {
	if r.Path == "/" || r.Path == "" {
		return []string{"/"}
	}
	return []string{"/", r.Path}
}
