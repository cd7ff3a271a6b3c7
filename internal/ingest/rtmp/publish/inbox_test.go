package publish

import (
	"bytes"
	"testing"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// FuzzReplies reads whatever a server may send. Nothing may break, and the
// messages may not be larger than what came.
func FuzzReplies(f *testing.F) {
	var out bytes.Buffer
	w := chunk.NewWriter(&out)
	payload, err := amf0.Append(nil, "onStatus", 0, nil, amf0.Object{{Name: "level", Value: "error"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range []chunk.Message{
		{ChunkStream: 2, Type: chunk.TypeWindowAckSize, Payload: []byte{0, 0, 1, 0}},
		{ChunkStream: 2, Type: chunk.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}},
		{ChunkStream: 3, Type: chunk.TypeCommandAMF0, Payload: payload},
	} {
		if err := w.Write(m); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(out.Bytes())
	f.Add([]byte{0xC9})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := newInbox(bytes.NewReader(data))
		size := 0
		for {
			m, err := in.next()
			if err != nil {
				break
			}
			size += len(m.Payload)
			if r, err := parseReply(m.Payload); err == nil {
				_ = statusOf(r.args).asError(r.name).Error()
			}
		}
		if size > len(data) {
			t.Errorf("%d bytes of messages came out of %d", size, len(data))
		}
	})
}
