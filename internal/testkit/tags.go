package testkit

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/media/flv"
)

// Tag is an FLV tag and when it is sent, counted from the first one.
type Tag struct {
	flv.Tag
	At time.Duration
}

// ReadTags reads the tags of an FLV file, each to be sent at its timestamp.
func ReadTags(t testing.TB, path string) []Tag {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := flv.NewReader(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var tags []Tag
	for {
		tag, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return tags
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		tag.Data = append([]byte(nil), tag.Data...)
		// A stream that goes on has no end of sequence.
		if tag.Kind() != flv.KindEnd {
			tags = append(tags, Tag{tag, time.Duration(tag.Timestamp) * time.Millisecond})
		}
	}
}

// ReadIVF reads an IVF file of VP8 or VP9 as tags of Enhanced RTMP, each to be
// sent at its timestamp. A decoder configuration without content stands first:
// these codecs need none.
func ReadIVF(t testing.TB, path string) []Tag {
	t.Helper()
	const fileHeader, frameHeader = 32, 12
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) < fileHeader || string(data[:4]) != "DKIF" {
		t.Fatalf("%s is not an IVF file", path)
	}
	fourCC := map[string]string{"VP80": "vp08", "VP90": "vp09"}[string(data[8:12])]
	// Timestamps count in den/num of a second.
	num, den := binary.LittleEndian.Uint32(data[16:]), binary.LittleEndian.Uint32(data[20:])
	tags := []Tag{enhancedTag(fourCC, 0, 0, vpConfiguration())}
	for rest := data[fileHeader:]; len(rest) > frameHeader; {
		size := int(binary.LittleEndian.Uint32(rest))
		at := time.Duration(binary.LittleEndian.Uint64(rest[4:])) * time.Second * time.Duration(den) / time.Duration(num) //nolint:gosec // small
		tags = append(tags, enhancedTag(fourCC, 1, at, rest[frameHeader:][:size]))
		rest = rest[frameHeader+size:]
	}
	return tags
}

// enhancedTag is a video tag of Enhanced RTMP v2. packet is 0 for a decoder configuration and 1 for a frame.
func enhancedTag(fourCC string, packet byte, at time.Duration, body []byte) Tag {
	const enhanced, key, inter = 0x80, 1 << 4, 2 << 4
	kind := byte(key)
	// The lowest bit of a VP8 frame says that it is no key frame; in VP9 it is the third (RFC 6386, 9.1; VP9, 6.2).
	if packet == 1 && (fourCC == "vp08" && body[0]&1 != 0 || fourCC == "vp09" && body[0]&4 != 0) {
		kind = inter
	}
	data := append([]byte{enhanced | kind | packet}, fourCC...)
	return Tag{flv.Tag{
		Type: flv.Video, Timestamp: uint32(at.Milliseconds()), //nolint:gosec // small
		Data: append(data, body...),
	}, at}
}

// vpConfiguration is a vpcC record of profile 0, 8 bit, 4:2:0, colours unspecified.
func vpConfiguration() []byte {
	return []byte{1, 0, 0, 0, 0, 10, 8 << 4, 2, 2, 2, 0, 0}
}

// Then appends tags that go on where these end, after one more frame.
func Then(first, second []Tag) []Tag {
	last := first[len(first)-1]
	step := last.At - first[len(first)-2].At
	all := append([]Tag(nil), first...)
	for _, tag := range second {
		tag.At += last.At + step
		tag.Timestamp += last.Timestamp + uint32(step.Milliseconds()) //nolint:gosec // small
		all = append(all, tag)
	}
	return all
}

// PushTags pushes tags by our own publisher, each when it is due: what ffmpeg
// cannot be made to send. The channel is closed at the end, which a test that
// ends does not wait for. A push that the server ends fails the test.
func PushTags(t testing.TB, url string, tags []Tag) <-chan struct{} {
	t.Helper()
	// Not t.Context: a test may be about to end, and the server should see an orderly end.
	ctx, cancel := context.WithCancel(context.Background())
	client, err := publish.Dial(ctx, url, publish.Options{})
	if err != nil {
		cancel()
		t.Fatalf("pushing: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := sendTags(ctx, client, tags)
		if err := errors.Join(err, client.Close()); err != nil && ctx.Err() == nil {
			t.Errorf("pushing: %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return done
}

func sendTags(ctx context.Context, client *publish.Client, tags []Tag) error {
	begun := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, tag := range tags {
		timer.Reset(tag.At - time.Since(begun))
		select {
		case <-timer.C:
		case <-client.Done():
			return client.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := client.Write(tag.Tag); err != nil {
			return err
		}
	}
	return nil
}
