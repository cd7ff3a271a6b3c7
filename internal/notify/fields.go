package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/callback"
)

// setID is the set_id of push events, the region of the node: 1 to 6 stand for
// mainland China in Tencent Cloud CSS, whose other numbers Stillcast has no use for.
const setID = 1

// ShotFields returns the fields of the event 200 of a shot of a push: all but
// t, sign and pic_full_url, which are made for each attempt.
func ShotFields(shot stillcast.Shot, push stillcast.Push) (json.RawMessage, error) {
	return marshal(callback.Screenshot{
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
	})
}

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
