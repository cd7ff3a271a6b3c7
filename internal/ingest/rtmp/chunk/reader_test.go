package chunk_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

// recorder writes down what a Reader gives it. Messages of skipType are
// skipped, all others kept.
type recorder struct {
	pool     chunk.Pool
	budget   *chunk.Budget
	skipType uint8
	refuse   error // returned by Begin
	shedErr  error // returned by Shed

	heads    []string
	messages []chunk.Message
	shed     int
}

func newRecorder() *recorder {
	return &recorder{budget: chunk.NewBudget(64 << 20), skipType: chunk.TypeAudio}
}

func (r *recorder) Begin(h chunk.Header, head []byte) (*chunk.Budget, error) {
	r.heads = append(r.heads, fmt.Sprintf("%d:%d:%d:%d %x", h.ChunkStream, h.Type, h.Timestamp, h.Length, head))
	if h.Type == r.skipType {
		return nil, r.refuse
	}
	return r.budget, r.refuse
}

func (r *recorder) Complete(h chunk.Header, payload []byte) error {
	r.messages = append(r.messages, chunk.Message{
		ChunkStream: h.ChunkStream, Type: h.Type, StreamID: h.StreamID, Timestamp: h.Timestamp, Payload: bytes.Clone(payload),
	})
	if len(payload) != h.Length {
		return fmt.Errorf("payload of %d bytes, header says %d", len(payload), h.Length)
	}
	r.pool.Put(payload)
	return nil
}

func (r *recorder) Shed(_ chunk.Header, err error) error {
	if !errors.Is(err, chunk.ErrBudget) {
		return fmt.Errorf("shed for another reason: %w", err)
	}
	r.shed++
	return r.shedErr
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read feeds data in pieces of the given size.
func read(data []byte, size int, rec *recorder, lim chunk.Limits) error {
	r := chunk.NewReader(lim, &rec.pool, rec)
	defer r.Close()
	for len(data) > 0 {
		n := min(size, len(data))
		if err := r.Feed(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// stamp is a message in short: chunk stream, timestamp, payload.
type stamp struct {
	stream, timestamp uint32
	payload           string
}

func stamps(messages []chunk.Message) []stamp {
	var out []stamp
	for _, m := range messages {
		out = append(out, stamp{m.ChunkStream, m.Timestamp, hex.EncodeToString(m.Payload)})
	}
	return out
}

func TestReader(t *testing.T) {
	tests := []struct {
		name string
		data string
		want []stamp
	}{
		{
			"types 0 to 3", "04 000064 000002 12 01000000 aaaa  44 000028 000001 12 bb  84 000014 cc  c4 dd",
			[]stamp{{4, 100, "aaaa"}, {4, 140, "bb"}, {4, 160, "cc"}, {4, 180, "dd"}},
		},
		{"type 1 first, as librtmp's control stream", "42 000005 000001 12 aa", []stamp{{2, 5, "aa"}}},
		{"type 3 after type 0 repeats a short time", "04 000028 000001 12 01000000 aa c4 bb", []stamp{{4, 40, "aa"}, {4, 80, "bb"}}},
		{"type 3 after type 0 never leaps", "04 100000 000001 12 01000000 aa c4 bb", []stamp{{4, 0x100000, "aa"}, {4, 0x100000, "bb"}}},
		{"two-byte chunk stream", "00ff 000000 000001 12 01000000 aa", []stamp{{319, 0, "aa"}}},
		{"three-byte chunk stream", "01ffff 000000 000001 12 01000000 aa", []stamp{{65599, 0, "aa"}}},
		{"forms of one chunk stream", "0000 000001 000001 12 01000000 aa c10000 bb", []stamp{{64, 1, "aa"}, {64, 2, "bb"}}},
		{"empty message", "04 000000 000000 12 01000000 c4", []stamp{{4, 0, ""}, {4, 0, ""}}},
		{
			"chunks of two", "02 000000 000004 01 00000000 00000002  04 000000 000005 12 01000000 aabb c4 ccdd c4 ee",
			[]stamp{{4, 0, "aabbccddee"}},
		},
		{
			"interleaved", "02 000000 000004 01 00000000 00000002  04 000000 000003 12 01000000 aabb  05 000007 000003 14 00000000 1122  c4 cc  c5 33",
			[]stamp{{4, 0, "aabbcc"}, {5, 7, "112233"}},
		},
		{
			"chunk size changes inside a message", "02 000000 000004 01 00000000 00000002  04 000000 000006 12 01000000 aabb  02 000000 000004 01 00000000 0000 c2 0003  c4 ccddee c4 ff",
			[]stamp{{4, 0, "aabbccddeeff"}},
		},
		{
			"abort", "02 000000 000004 01 00000000 00000002  04 000000 000003 12 01000000 aabb  02 000000 000004 02 00000000 0000 c2 0004  c4 1122 c4 33",
			[]stamp{{4, 0, "112233"}},
		},
		{"abort of nothing", "02 000000 000004 02 00000000 00000009  04 000000 000001 12 01000000 aa", []stamp{{4, 0, "aa"}}},
		{
			"begun anew", "02 000000 000004 01 00000000 00000002  04 000000 000003 12 01000000 aabb  04 000005 000001 12 01000000 cc",
			[]stamp{{4, 5, "cc"}},
		},
		{"extended timestamp", "04 ffffff 000001 12 01000000 01020304 aa", []stamp{{4, 0x01020304, "aa"}}},
		{"extended timestamp of exactly 0xffffff", "04 ffffff 000001 12 01000000 00ffffff aa", []stamp{{4, 0xffffff, "aa"}}},
		{
			"extended delta", "04 000001 000001 12 01000000 aa 84 ffffff 01000000 bb c4 01000000 cc",
			[]stamp{{4, 1, "aa"}, {4, 0x01000001, "bb"}, {4, 0x02000001, "cc"}},
		},
		{
			"extended timestamp on type 3", "02 000000 000004 01 00000000 00000002  04 ffffff 000005 12 01000000 01020304 aabb c4 01020304 ccdd c4 01020304 ee",
			[]stamp{{4, 0x01020304, "aabbccddee"}},
		},
		{
			"extended timestamp left out on type 3", "02 000000 000004 01 00000000 00000002  04 ffffff 000005 12 01000000 01020304 aabb c4 ccdd c4 ee",
			[]stamp{{4, 0x01020304, "aabbccddee"}},
		},
		{
			"left out, payload begins like it", "02 000000 000004 01 00000000 00000002  04 ffffff 000008 12 01000000 01020304 aabb c4 0102 c4 0102 c4 03ee  05 000000 000001 12 01000000 11",
			[]stamp{{4, 0x01020304, "aabb0102010203ee"}, {5, 0, "11"}},
		},
		{
			"absolute timestamp on type 3 of an extended delta", "02 000000 000004 01 00000000 00000001  04 000005 000002 12 01000000 aa c4 bb  84 ffffff 01000000 cc c4 01000005 dd",
			[]stamp{{4, 5, "aabb"}, {4, 0x01000005, "ccdd"}},
		},
		{
			"no extended timestamp after a short delta", "02 000000 000004 01 00000000 00000001  04 ffffff 000001 12 01000000 01000000 aa 44 000028 000002 12 bb c4 cc",
			[]stamp{{4, 0x01000000, "aa"}, {4, 0x01000028, "bbcc"}},
		},
		{"timestamp wraps", "04 ffffff 000001 12 01000000 ffffffff aa 84 000002 bb", []stamp{{4, 0xffffffff, "aa"}, {4, 1, "bb"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := unhex(t, tt.data)
			for size := 1; size <= len(data); size++ {
				rec := newRecorder()
				if err := read(data, size, rec, chunk.DefaultLimits()); err != nil {
					t.Fatalf("pieces of %d bytes: %v", size, err)
				}
				if diff := cmp.Diff(tt.want, stamps(rec.messages), cmp.AllowUnexported(stamp{})); diff != "" {
					t.Fatalf("pieces of %d bytes: messages (-want +got):\n%s", size, diff)
				}
				if used := rec.budget.Used(); used != 0 {
					t.Fatalf("pieces of %d bytes: %d bytes of the budget are still taken", size, used)
				}
			}
		})
	}
}

// Begin sees the first 32 bytes, or all, whatever the chunks are.
func TestReaderHead(t *testing.T) {
	long := strings.Repeat("ab", 40)
	data := unhex(t, "02 000000 000004 01 00000000 00000003"+
		"04 000001 000005 08 01000000 aabbcc c4 ddee"+
		"04 000002 000000 08 01000000"+
		"02 000000 000004 01 00000000 000010 c2 00"+
		"05 000003 000028 08 01000000"+long)
	want := []string{"4:8:1:5 aabbccddee", "4:8:2:0 ", "5:8:3:40 " + long[:64]}
	for size := 1; size <= len(data); size++ {
		rec := newRecorder()
		if err := read(data, size, rec, chunk.DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, rec.heads); diff != "" {
			t.Fatalf("pieces of %d bytes: heads (-want +got):\n%s", size, diff)
		}
		if len(rec.messages) != 0 {
			t.Fatalf("%d skipped messages were handed over", len(rec.messages))
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	lim := chunk.DefaultLimits()
	var streams, open strings.Builder
	for i := range 65 {
		fmt.Fprintf(&streams, "00%02x 000000 000000 08 01000000", i)
	}
	for i := range 17 {
		fmt.Fprintf(&open, "00%02x 000000 000002 08 01000000 aa", i) // chunk size 1
	}
	tests := []struct {
		name string
		data string
		want error
		text string
	}{
		{"type 2 first", "84 000000", chunk.ErrNoHeader, "type 2 at the start of chunk stream 4"},
		{"type 3 first", "c4 00", chunk.ErrNoHeader, "type 3"},
		{"chunk size 0", "02 000000 000004 01 00000000 00000000", chunk.ErrChunkSize, "0 bytes announced, allowed are 1 to 16777216"},
		{"chunk size with the first bit", "02 000000 000004 01 00000000 80000080", chunk.ErrChunkSize, "2147483776"},
		{"short SetChunkSize", "02 000000 000003 01 00000000 000000", chunk.ErrControl, "type 1 with 3 bytes, expected 4"},
		{"empty SetChunkSize", "02 000000 000000 01 00000000", chunk.ErrControl, "0 bytes"},
		{"long abort", "02 000000 0e0000 02 00000000" + strings.Repeat("00", 32), chunk.ErrControl, "917504"},
		{"65 chunk streams", streams.String(), chunk.ErrChunkStreams, "at most 64"},
		{"17 open messages", "02 000000 000004 01 00000000 00000001" + open.String(), chunk.ErrOpenMessages, "at most 16"},
		{"command too long", "03 000000 010001 14 00000000" + strings.Repeat("00", 32), chunk.ErrCommandBytes, "65537 bytes announced, at most 65536"},
		{"picture too long", "04 000000 800001 09 00000000" + strings.Repeat("00", 32), chunk.ErrVideoBytes, "8388609 bytes announced, at most 8388608"},
		{"message too long", "04 000000 f00001 16 00000000", chunk.ErrMessageBytes, "15728641"},
		{"audio too long", "04 000000 100001 08 00000000", chunk.ErrAudioBytes, "type 8 with 1048577 bytes announced, at most 1048576"},
		{"metadata too long", "04 000000 100001 12 00000000", chunk.ErrDataBytes, "type 18 with 1048577 bytes announced, at most 1048576"},
		{"AMF3 metadata too long", "04 000000 100001 0f 00000000", chunk.ErrDataBytes, "type 15"},
	}
	lim.MessageBytes = 15 << 20
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := unhex(t, tt.data)
			for _, size := range []int{1, 7, len(data)} {
				rec := newRecorder()
				err := read(data, size, rec, lim)
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Fatalf("pieces of %d bytes: %v; want %v with %q", size, err, tt.want, tt.text)
				}
				if used := rec.budget.Used(); used != 0 {
					t.Errorf("%d bytes of the budget are still taken", used)
				}
			}
		})
	}
}

// A skipped message may have any length up to the limit of all.
func TestReaderSkipsLongMessages(t *testing.T) {
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	write(t, w, chunk.Message{ChunkStream: 4, Type: chunk.TypeAggregate, Payload: make([]byte, chunk.MaxPayload)})
	write(t, w, chunk.Message{ChunkStream: 4, Type: chunk.TypeVideo, Payload: []byte{1}})
	rec := newRecorder()
	rec.skipType = chunk.TypeAggregate
	if err := read(wire.Bytes(), 1000, rec, chunk.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if len(rec.messages) != 1 || len(rec.heads) != 2 {
		t.Errorf("%d messages begun, %d kept; want 2, 1", len(rec.heads), len(rec.messages))
	}
}

func write(t testing.TB, w *chunk.Writer, m chunk.Message) {
	t.Helper()
	if err := w.Write(m); err != nil {
		t.Fatal(err)
	}
}

func TestReaderPassesHandlerErrors(t *testing.T) {
	refused := errors.New("refused")
	rec := newRecorder()
	rec.refuse = refused
	if err := read(unhex(t, "04 000000 000001 12 01000000 aa"), 1, rec, chunk.DefaultLimits()); !errors.Is(err, refused) {
		t.Errorf("Feed: %v, want %v", err, refused)
	}
}

func TestLimitsValidate(t *testing.T) {
	if err := chunk.DefaultLimits().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	tests := []struct {
		field  string
		change func(*chunk.Limits)
	}{
		{"command_bytes", func(l *chunk.Limits) { l.CommandBytes = 0 }},
		{"video_bytes", func(l *chunk.Limits) { l.VideoBytes = 1 << 24 }},
		{"audio_bytes", func(l *chunk.Limits) { l.AudioBytes = 0 }},
		{"data_bytes", func(l *chunk.Limits) { l.DataBytes = 1 << 24 }},
		{"message_bytes", func(l *chunk.Limits) { l.MessageBytes = -1 }},
		{"chunk_bytes", func(l *chunk.Limits) { l.ChunkBytes = 1<<24 + 1 }},
		{"chunk_streams", func(l *chunk.Limits) { l.ChunkStreams = 3 }},
		{"open_messages", func(l *chunk.Limits) { l.OpenMessages = 1025 }},
	}
	for _, tt := range tests {
		l := chunk.DefaultLimits()
		tt.change(&l)
		if err := l.Validate(); err == nil || !strings.HasPrefix(err.Error(), tt.field+": is ") {
			t.Errorf("%s: %v", tt.field, err)
		}
	}
}

// FuzzReader checks that nothing breaks the Reader, that no memory is lost, and
// that it does not matter how the bytes are split.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"04 000064 000002 12 01000000 aaaa 44 000028 000001 12 bb 84 000014 cc c4 dd",
		"02 000000 000004 01 00000000 00000002 04 ffffff 000005 12 01000000 01020304 aabb c4 01020304 ccdd c4 ee",
		"02 000000 000004 01 00000000 00000002 04 ffffff 000008 12 01000000 01020304 aabb c4 0102 c4 0102 c4 03ee 05 000000 000001 12 01000000 11",
		"02 000000 000004 01 00000000 00000002 04 000000 000003 12 01000000 aabb 02 000000 000004 02 00000000 0000 c2 0004 c4 1122 c4 33",
		"00ff 000000 000000 08 01000000 01ffff 000000 000000 09 01000000",
	} {
		f.Add(unhex(f, seed), uint8(1), uint16(8))
	}
	var wire bytes.Buffer
	w := chunk.NewWriter(&wire)
	write(f, w, chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, Timestamp: 1 << 24, Payload: make([]byte, 300)})
	write(f, w, chunk.Message{ChunkStream: 2, Type: chunk.TypeSetChunkSize, Payload: binary.BigEndian.AppendUint32(nil, 3000)})
	f.Add(wire.Bytes(), uint8(97), uint16(4))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8, kib uint16) {
		run := func(size int) (*recorder, string) {
			rec := newRecorder()
			rec.budget = chunk.NewBudget(int64(kib) << 10)
			text := ""
			if err := read(data, size, rec, chunk.DefaultLimits()); err != nil {
				text = err.Error()
			}
			if used := rec.budget.Used(); used != 0 {
				t.Fatalf("%d bytes of the budget are still taken", used)
			}
			return rec, text
		}
		whole, wholeErr := run(len(data) + 1)
		split, splitErr := run(int(piece) + 1)
		if kib < 256 && whole.shed+split.shed > 0 {
			return // buffers grow with the pieces, so the budget may hold for one and not for the other
		}
		if wholeErr != splitErr {
			t.Fatalf("whole: %q; in pieces of %d bytes: %q", wholeErr, int(piece)+1, splitErr)
		}
		if diff := cmp.Diff(whole.heads, split.heads); diff != "" {
			t.Fatalf("heads, whole and in pieces:\n%s", diff)
		}
		if diff := cmp.Diff(whole.messages, split.messages); diff != "" {
			t.Fatalf("messages, whole and in pieces:\n%s", diff)
		}
	})
}

// What is missing is counted to the last byte, over the headers of the chunks
// that are still to come, and only for messages that are kept.
func TestReaderMissing(t *testing.T) {
	for _, size := range []int{1, 33, 4095, 4096, 4097, 20_000} {
		var wire bytes.Buffer
		w := chunk.NewWriter(&wire)
		write(t, w, chunk.Message{ChunkStream: 2, Type: chunk.TypeSetChunkSize, Payload: []byte{0, 0, 0x10, 0}})
		w.SetChunkSize(4096)
		rec := newRecorder()
		r := chunk.NewReader(chunk.DefaultLimits(), &rec.pool, rec)
		if err := r.Feed(wire.Bytes()); err != nil {
			t.Fatal(err)
		}
		wire.Reset()
		write(t, w, chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, Payload: make([]byte, size)})
		data := wire.Bytes()
		for i := range data {
			// Below that the message has not begun, or is not looked at.
			if want := len(data) - i; i >= 12+chunk.HeadSize && r.Missing() != want {
				t.Fatalf("%d bytes, after %d of %d: %d missing, want %d", size, i, len(data), r.Missing(), want)
			}
			if err := r.Feed(data[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.Missing(); n != 0 {
			t.Errorf("%d bytes: %d missing at the end", size, n)
		}
		write(t, w, chunk.Message{ChunkStream: 6, Type: chunk.TypeAudio, Payload: make([]byte, 100)})
		if err := r.Feed(wire.Bytes()[len(data):][:60]); err != nil {
			t.Fatal(err)
		}
		if n := r.Missing(); n != 0 {
			t.Errorf("%d missing of a message that is skipped", n)
		}
		r.Close()
	}
}
