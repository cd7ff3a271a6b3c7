package api

import (
	"bytes"
	"encoding/json"
)

// empty is the answer of an action that has nothing to say.
type empty struct{}

// appendReply writes {"Response":{…,"RequestId":"…"}}, with nothing after it.
func appendReply(b []byte, id string, reply any) []byte {
	if f, ok := reply.(*fault); ok {
		reply = struct{ Error *fault }{f}
	}
	fields := marshal(reply)
	b = append(b, `{"Response":`...)
	b = append(b, fields[:len(fields)-1]...)
	if len(fields) > len("{}") {
		b = append(b, ',')
	}
	b = append(b, `"RequestId":`...)
	b = append(b, marshal(id)...)
	return append(b, "}}"...)
}

// marshal writes JSON as the cloud does: & < > stand for themselves. Replies
// are our own types, which can always be written.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(`{}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
