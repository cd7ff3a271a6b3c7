package ingest

import (
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// SplitPushURL takes rtmp://DOMAIN/APP/STREAM?QUERY, or the same with rtmps, apart
// as the server does when a publisher that was given it pushes: the last part of
// the path is the name, the others are the app. Base is the URL without its query.
func SplitPushURL(raw string) (base string, u PushURL, err error) {
	base, query, _ := strings.Cut(raw, "?")
	end := strings.LastIndex(base, "/")
	scheme, rest, _ := strings.Cut(base, "://")
	if !isScheme(scheme) || strings.Count(rest, "/") < 2 {
		return "", u, stillcast.Errorf(stillcast.CodeInvalid, "push URL", "%q is not rtmp://DOMAIN/APP/STREAM or rtmps://DOMAIN/APP/STREAM", base)
	}
	name := base[end+1:]
	if query != "" {
		name += "?" + query
	}
	_, app, _ := strings.Cut(base[len(scheme)+len("://"):end], "/")
	if u, err = ParsePushURL(base[:end], app, name); err != nil {
		return "", u, err
	}
	return base, u, nil
}

func isScheme(s string) bool { return strings.EqualFold(s, "rtmp") || strings.EqualFold(s, "rtmps") }

// SignedParam is the query of a push URL with a new signature, which is good until
// expiry, in place of an old one.
func SignedParam(key stillcast.Secret, u PushURL, expiry time.Time) string {
	pairs := []string{stillcast.PushParam(key, u.Stream.Name, expiry)}
	for pair := range strings.SplitSeq(u.Param, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name != "" && name != "txSecret" && name != "txTime" {
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "&")
}
