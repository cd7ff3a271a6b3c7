package publish_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
	"github.com/stillcast/stillcast/internal/media/flv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clientHandshake is how many bytes a client sends before its first chunk.
const clientHandshake = 1 + 2*1536

// heard is what gortmplib, as a server, understood of one push.
type heard struct {
	url      string          // as gortmplib puts it together
	commands [][]any         // name and arguments, in order
	tags     []flv.Tag       // audio, video and data messages
	arrived  []time.Duration // when each tag was read, after the first
	err      error           // of the first thing it did not accept; nil at an ordinary end
}

// listen serves one connection with gortmplib, and returns its address.
func listen(t *testing.T) (address string, result <-chan heard) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan heard, 1)
	go func() {
		conn, err := ln.Accept()
		ln.Close()
		if err != nil {
			done <- heard{err: err}
			return
		}
		done <- hear(conn)
	}()
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String(), done
}

// hear is a server for one push. gortmplib's message reader judges every
// message; its chunk reader then gives the bytes of each.
func hear(conn net.Conn) heard {
	defer conn.Close()
	var sent bytes.Buffer
	server := &gortmplib.ServerConn{RW: struct {
		io.Reader
		io.Writer
	}{io.TeeReader(conn, &sent), conn}}
	if err := server.Initialize(); err != nil {
		return heard{err: err}
	}
	if err := server.Accept(); err != nil {
		return heard{err: err}
	}
	h := heard{url: server.URL.String()}
	var times []time.Time
	for {
		_, err := server.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			h.err = err
			return h
		}
		times = append(times, time.Now())
	}
	h.err = h.split(sent.Bytes()[clientHandshake:], times)
	return h
}

func (h *heard) split(chunks []byte, times []time.Time) error {
	in := bytes.NewReader(chunks)
	r := rawmessage.NewReader(in, bytecounter.NewReader(in), nil)
	var all []*rawmessage.Message
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if m.Type == chunk.TypeSetChunkSize {
			if err := r.SetChunkSize(uint32(m.Body[2])<<8 | uint32(m.Body[3]) | uint32(m.Body[1])<<16); err != nil {
				return err
			}
		}
		all = append(all, m)
	}
	before := len(all) - len(times) // read by Initialize and Accept
	for i, m := range all {
		switch m.Type {
		case chunk.TypeCommandAMF0:
			values, err := amf0.Decode(m.Body, amf0.DefaultLimits())
			if err != nil {
				return err
			}
			h.commands = append(h.commands, values)
		case chunk.TypeAudio, chunk.TypeVideo, chunk.TypeDataAMF0:
			h.tags = append(h.tags, flv.Tag{
				Type: flv.TagType(m.Type), Timestamp: uint32(m.Timestamp.Milliseconds()), Data: m.Body,
			})
			h.arrived = append(h.arrived, times[i-before].Sub(times[0]))
		}
	}
	return nil
}

// readFile returns the tags of an FLV file.
func readFile(t *testing.T, r io.Reader) []flv.Tag {
	t.Helper()
	file, err := flv.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	var tags []flv.Tag
	for {
		tag, err := file.Read()
		if errors.Is(err, io.EOF) {
			return tags
		}
		if err != nil {
			t.Fatal(err)
		}
		tag.Data = bytes.Clone(tag.Data)
		tags = append(tags, tag)
	}
}

// asSent returns tags as a publisher sends them: metadata in @setDataFrame.
func asSent(tags []flv.Tag) []flv.Tag {
	sent := make([]flv.Tag, len(tags))
	for i, tag := range tags {
		if tag.Type == flv.Script {
			tag.Data = append([]byte("\x02\x00\x0d@setDataFrame"), tag.Data...)
		}
		sent[i] = tag
	}
	return sent
}

// fast compares data as a whole: byte by byte takes seconds.
func fast() cmp.Option { return cmp.Comparer(bytes.Equal) }
