package notify

import (
	"net/url"
	"strings"
)

// redact leaves the push credential out of the member stream_param.
func redact(members []member) ([]member, error) {
	quoted := find(members, "stream_param")
	if quoted == nil {
		return members, nil
	}
	param, err := unquote(quoted)
	if err != nil {
		return nil, err
	}
	return set(members, "stream_param", text(withoutCredential(param))), nil
}

// withoutCredential returns the query of a push URL without txSecret and txTime,
// however they are written; all others stay as they are.
func withoutCredential(param string) string {
	kept := make([]string, 0, strings.Count(param, "&")+1)
	for pair := range strings.SplitSeq(param, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(key); err == nil {
			key = plain
		}
		key = strings.TrimPrefix(key, "?")
		if !strings.EqualFold(key, "txSecret") && !strings.EqualFold(key, "txTime") {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
