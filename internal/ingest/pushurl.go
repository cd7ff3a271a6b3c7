package ingest

import (
	"net"
	"net/url"
	"strings"

	"github.com/stillcast/stillcast"
)

// PushURL is a push URL taken apart.
type PushURL struct {
	Stream stillcast.Stream
	Param  string // the raw query, as sent
}

// ParsePushURL takes apart what an RTMP publisher sends: tcUrl and app of its
// connect command and the name of its publish command. The query is looked for
// in the name, then in the app, then in tcUrl; the first that is not empty is
// Param. "vhost" in any of them replaces tcUrl's host as push domain. A host is
// lower-cased and loses its port, an app its slashes at both ends.
// (Tencent Cloud CSS push URL: rtmp://DOMAIN/APP/STREAM?txSecret=…&txTime=…)
func ParsePushURL(tcURL, app, name string) (PushURL, error) {
	host, tcQuery, err := splitTCURL(tcURL)
	if err != nil {
		return PushURL{}, err
	}
	app, appQuery, _ := strings.Cut(app, "?")
	name, nameQuery, _ := strings.Cut(name, "?")
	u := PushURL{Stream: stillcast.Stream{
		Domain: host,
		App:    strings.Trim(app, "/"),
		Name:   strings.TrimPrefix(name, "/"),
	}}
	for _, query := range []string{nameQuery, appQuery, tcQuery} {
		if u.Param == "" {
			u.Param = query
		}
		if vhost := vhostOf(query); vhost != "" {
			u.Stream.Domain = strings.ToLower(vhost)
			break
		}
	}
	return u, u.Stream.Validate()
}

func splitTCURL(tcURL string) (host, query string, err error) {
	rest, query, _ := strings.Cut(tcURL, "?")
	_, rest, ok := strings.Cut(rest, "://")
	if !ok {
		return "", "", stillcast.Errorf(stillcast.CodeInvalid, "tcUrl",
			"%.200q has no scheme; expected rtmp://DOMAIN/APP", tcURL)
	}
	host, _, _ = strings.Cut(rest, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]")), query, nil
}

func vhostOf(query string) string {
	for pair := range strings.SplitSeq(query, "&") {
		value, ok := strings.CutPrefix(pair, "vhost=")
		if !ok {
			continue
		}
		if v, err := url.QueryUnescape(value); err == nil {
			return v
		}
	}
	return ""
}
