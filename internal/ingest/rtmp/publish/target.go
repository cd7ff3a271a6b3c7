package publish

import (
	"net"
	"strconv"
	"strings"

	"github.com/stillcast/stillcast"
)

const (
	scheme      = "rtmp://"
	defaultPort = "1935" // registered with IANA as macromedia-fcs; RTMP specification, section 1
	urlField    = "push URL"
)

// target is a push URL in the parts that RTMP sends.
type target struct {
	address string // to connect to: host:port
	tcURL   string // of the connect command: all but stream and query
	app     string
	name    string // of the publish command: the stream with its query, as FFmpeg and OBS send it
}

// parseTarget takes apart rtmp://HOST[:PORT]/APP/STREAM[?QUERY]. Nothing is
// decoded: servers get app and stream as they were written. Everything between
// host and the last part of the path is the app.
func parseTarget(rawURL string) (target, error) {
	if len(rawURL) < len(scheme) || !strings.EqualFold(rawURL[:len(scheme)], scheme) {
		return target{}, stillcast.Errorf(stillcast.CodeInvalid, urlField,
			"must start with %s; expected rtmp://HOST[:%s]/APP/STREAM?QUERY", scheme, defaultPort)
	}
	rest, query, hasQuery := strings.Cut(rawURL[len(scheme):], "?")
	authority, path, _ := strings.Cut(rest, "/")
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return target{}, stillcast.Errorf(stillcast.CodeInvalid, urlField,
			"has no stream; expected rtmp://HOST[:%s]/APP/STREAM?QUERY", defaultPort)
	}
	host, address, err := splitAuthority(authority)
	if err != nil {
		return target{}, err
	}
	t := target{
		address: address,
		tcURL:   scheme + authority + "/" + path[:slash],
		app:     path[:slash],
		name:    path[slash+1:],
	}
	stream := stillcast.Stream{Domain: host, App: t.app, Name: t.name}
	if err := stream.Validate(); err != nil {
		return target{}, stillcast.Within(urlField, err)
	}
	if hasQuery {
		t.name += "?" + query
	}
	return t, nil
}

// splitAuthority returns the host alone, and host and port to connect to.
func splitAuthority(authority string) (host, address string, err error) {
	if strings.Contains(authority, "@") {
		return "", "", stillcast.Errorf(stillcast.CodeInvalid, urlField,
			"holds a user before the host, which is not supported; the key belongs into the query")
	}
	host, port := strings.Trim(authority, "[]"), defaultPort
	if h, p, err := net.SplitHostPort(authority); err == nil {
		host, port = h, p
	}
	if host == "" {
		return "", "", stillcast.Errorf(stillcast.CodeInvalid, urlField, "has no host")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", stillcast.Errorf(stillcast.CodeInvalid, urlField, "has the port %q; allowed are 1 to 65535", port)
	}
	return host, net.JoinHostPort(host, port), nil
}
