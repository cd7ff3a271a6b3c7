package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/receiver"
)

// The script listen.txtar shows what arrives from a server; this is the rest.
func TestDescribe(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 30, 15, 7e6, time.Local)
	unknown, err := callback.Parse([]byte(`{"event_type":317,"t":1,"sign":""}`))
	if err != nil {
		t.Fatal(err)
	}
	shot := callback.Screenshot{PicFullURL: "http://h/p.jpg", Width: 320, Height: 180, FileSize: 9, CreateTime: at.Unix()}
	shot.App, shot.AppName, shot.StreamID = "d", "live", "s"
	exception := callback.PushException{Domain: "d", Path: "live", StreamID: "s", AbnormalEvent: []callback.AbnormalEvent{
		{Count: 2, TypeDescEN: "no frames", Detail: []callback.AbnormalDetail{{Desc: "for 3 s"}, {Desc: "for 6 s"}}},
		{Count: 1, TypeDescEN: "time went back"},
	}}
	tests := []struct {
		name string
		keys []string
		got  receiver.Received
		want string
	}{
		{
			"no event",
			[]string{"k"},
			receiver.Received{At: at, Verified: errors.New("it is no JSON"), Status: 400},
			"12:30:15.007  not an event  REFUSED: it is no JSON  answered 400",
		},
		{
			"of a type that is not known", nil,
			receiver.Received{At: at, Event: unknown, Status: 200},
			"12:30:15.007  event of type 317  answered 200",
		},
		{
			"about what is wrong with a push", nil,
			receiver.Received{At: at, Event: exception, Status: 200},
			"12:30:15.007  error  d/live/s  2 times no frames: for 6 s; 1 times time went back  answered 200",
		},
		{
			"from another sender",
			[]string{"k"},
			receiver.Received{At: at, Event: shot, Status: 200},
			"12:30:15.007  shot   d/live/s  320x180  9 bytes  created 12:30:15  verified  answered 200  http://h/p.jpg",
		},
		{
			"without its picture", nil,
			receiver.Received{
				At: at, Event: shot, Meta: callback.Meta{Sequence: 2, Attempt: 3}, Status: 200,
				Picture: &receiver.Picture{Err: errors.New("status 404 Not Found"), Path: "not told"},
			},
			"12:30:15.007  shot   d/live/s  320x180  9 bytes  created 12:30:15  sequence 2 attempt 3  answered 200  PICTURE: status 404 Not Found  http://h/p.jpg",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (listenCommand{Key: tt.keys}).describe(tt.got); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
