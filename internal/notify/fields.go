package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

// setID is the set_id of push events, the region of the node: 1 to 6 stand for
// mainland China in Tencent Cloud CSS, whose other numbers Stillcast has no use for.
const setID = 1

// ShotFields returns the fields of the event 200 of a shot of a push: all but
// t, sign and each pic_full_url, which are made for each attempt. With facts they
// hold the member stillcast. With previous, the event id of the push's shot
// before, they hold that in it, which is sent only to callback templates that ask
// for extras. With neither they are the contract's and no others.
func ShotFields(shot stillcast.Shot, push stillcast.Push, facts bool, previous string) (json.RawMessage, error) {
	event := callback.Screenshot{
		App:         shot.Stream.Domain,
		AppName:     shot.Stream.App,
		ChannelID:   shot.Stream.Name,
		CreateTime:  shot.Captured.Unix(),
		EventType:   callback.TypeScreenshot,
		FileSize:    shot.Size,
		Height:      shot.Height,
		PicURL:      shot.PicURL(),
		StreamID:    shot.Stream.Name,
		StreamParam: push.Param,
		Width:       shot.Width,
	}
	if facts {
		event.Stillcast = factsOf(shot)
		event.Stillcast.PreviousEventID = previous
		previous = ""
	}
	fields, err := marshal(event)
	if err != nil || previous == "" {
		return fields, err
	}
	members, err := membersOf(fields)
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	own := object([]member{{previousEventID, text(previous)}})
	return object(set(members, "stillcast", own)), nil
}

func factsOf(shot stillcast.Shot) *callback.Facts {
	f := shot.Facts
	facts := &callback.Facts{
		Accuracy:    string(f.Accuracy),
		AgeMS:       f.Age.Milliseconds(),
		Black:       f.Black,
		DecodeMS:    milliseconds(f.Decode),
		Duplicate:   f.Duplicate,
		EncodeMS:    milliseconds(f.Encode),
		Hash:        fmt.Sprintf("%016x", f.Hash),
		Luma:        round(f.Luma, 100),
		ScaleMS:     milliseconds(f.Scale),
		Solid:       f.Solid,
		TimestampMS: f.Timestamp.Milliseconds(),
		Variance:    round(f.Variance, 100),
	}
	if f.Distance >= 0 {
		facts.Distance = &f.Distance
	}
	for _, r := range shot.Renditions {
		facts.Renditions = append(facts.Renditions, callback.Rendition{
			FileSize: r.Size, Height: r.Height, PicURL: r.PicURL(), Width: r.Width,
		})
	}
	return facts
}

// milliseconds keeps the microseconds as decimals.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// round rounds to one part of so many.
func round(v, parts float64) float64 { return math.Round(v*parts) / parts }

// PushBeginFields returns the fields of the event 1 of a push, all but t and
// sign. The size of the video is not known yet and is 0.
func PushBeginFields(push stillcast.Push, appID int64) (json.RawMessage, error) {
	return marshal(callback.StreamBegin{
		App:         push.Stream.Domain,
		AppID:       appID,
		AppName:     push.Stream.App,
		ChannelID:   push.Stream.Name,
		ErrMsg:      "ok",
		EventTime:   push.Started.Unix(),
		EventType:   callback.TypeStreamBegin,
		Node:        push.Node,
		Sequence:    push.ID,
		SetID:       setID,
		StreamID:    push.Stream.Name,
		StreamParam: push.Param,
		UserIP:      userIP(push),
	})
}

// PushEndFields returns the fields of the event 0 of a push, all but t and sign.
func PushEndFields(push stillcast.Push, end stillcast.PushEnd, appID int64) (json.RawMessage, error) {
	// A clock that was set back does not make a push of negative length.
	duration := max(0, end.At.Sub(push.Started).Milliseconds())
	return marshal(callback.StreamEnd{
		App:          push.Stream.Domain,
		AppID:        appID,
		AppName:      push.Stream.App,
		ChannelID:    push.Stream.Name,
		ErrCode:      int(end.Code),
		ErrMsg:       end.Message,
		EventTime:    end.At.Unix(),
		EventType:    callback.TypeStreamEnd,
		Height:       end.Height,
		Node:         push.Node,
		PushDuration: strconv.FormatInt(duration, 10),
		Sequence:     push.ID,
		SetID:        setID,
		StreamID:     push.Stream.Name,
		StreamParam:  push.Param,
		UserIP:       userIP(push),
		Width:        end.Width,
	})
}

// userIP is the publisher's address, "" when it is not known.
func userIP(push stillcast.Push) string {
	if !push.Remote.IsValid() {
		return ""
	}
	return push.Remote.Addr().Unmap().WithZone("").String()
}

// marshal writes JSON as the events have it: & < > stand for themselves, as in
// the samples of Tencent Cloud CSS.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
