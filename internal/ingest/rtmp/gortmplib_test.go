package rtmp

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

// dialGortmplib connects another implementation's publisher. Its URL has the
// stream's name after "#".
func dialGortmplib(t *testing.T, f *fixture) (*gortmplib.Client, error) {
	t.Helper()
	u, err := url.Parse("rtmp://" + f.Addr().String() + "/live?a=b#stream1?c=d")
	if err != nil {
		t.Fatal(err)
	}
	c := &gortmplib.Client{URL: u, Publish: true}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return c, c.Initialize(ctx)
}

// What another implementation sends comes out as it went in, for every frame,
// over timestamps that need the extended field, and sizes of many chunks.
func TestGortmplibPushes(t *testing.T) {
	g := newFakeGate()
	g.make = func() *fakePush {
		p := newFakePush()
		p.want = func(media.Unit) bool { return true }
		p.takes = make(chan struct{}, 100)
		return p
	}
	f := start(t, testConfig(), g)
	c, err := dialGortmplib(t, f)
	if err != nil {
		t.Fatal(err)
	}
	record, err := media.ParseAVCRecord(avcRecord())
	if err != nil {
		t.Fatal(err)
	}
	track := &gortmplib.Track{Codec: &codecs.H264{SPS: record.SPS[0], PPS: record.PPS[0]}}
	w := &gortmplib.Writer{Conn: c, Tracks: []*gortmplib.Track{track}}
	if err := w.Initialize(); err != nil {
		t.Fatal(err)
	}
	var want []unit
	begin := 0xFFFFFF*time.Millisecond - time.Second // passes the limit of the short timestamps
	for i := range 60 {
		header := byte(0x41)
		if i%10 == 0 {
			header = 0x65
		}
		au := [][]byte{append([]byte{header}, bytes.Repeat([]byte{byte(i)}, i*i*100)...), {6, 5, byte(i)}}
		dts := begin + time.Duration(i)*40*time.Millisecond
		pts := dts + time.Duration(i%3)*40*time.Millisecond
		if err := w.WriteH264(track, pts, dts, au); err != nil {
			t.Fatal(err)
		}
		data, err := h264.AVCC(au).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, unit{
			Unit:  media.Unit{Codec: media.H264, Key: i%10 == 0, DTS: dts, PTS: pts, Size: len(data) + 5},
			Width: 320, Data: string(data),
		})
	}
	// Its Close leaves answers of the server unread: that resets the connection,
	// and what is on its way is lost.
	p := g.push(t)
	for range want {
		select {
		case <-p.takes:
		case <-time.After(20 * time.Second):
			t.Fatal("not all units came")
		}
	}
	c.Close()
	if end := p.end(t); end.Code != stillcast.EndNetwork {
		t.Errorf("end %+v", end)
	}
	if diff := cmp.Diff(want, p.taken()); diff != "" {
		t.Errorf("units (-sent +taken):\n%.2000s", diff)
	}
	req := g.request(t)
	if req.URL.Stream.Name != "stream1" || req.URL.Stream.App != "live" || req.URL.Param != "c=d" {
		t.Errorf("push URL %+v", req.URL)
	}
}

func TestGortmplibIsRefused(t *testing.T) {
	g := newFakeGate()
	g.err = stillcast.Errorf(stillcast.CodeConflict, "", "the stream is live already")
	f := start(t, testConfig(), g)
	c, err := dialGortmplib(t, f)
	if err == nil {
		c.Close()
		t.Fatal("the push was accepted")
	}
	if !strings.Contains(err.Error(), "the stream is live already") {
		t.Errorf("%v; want the reason", err)
	}
}
