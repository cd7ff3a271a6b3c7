package callback_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/stillcast/stillcast/callback"
)

// A receiver is a handler around a function.
func ExampleHandler() {
	hooks := callback.Handler(callback.Options{
		Keys:   []string{"s3cret"},
		Replay: callback.NewReplayGuard(0, 0),
	}, func(ctx context.Context, event callback.Event) error {
		switch e := event.(type) {
		case callback.Screenshot:
			fmt.Printf("event %s: %s/%s %dx%d\n", callback.MetaFrom(ctx).EventID, e.App, e.StreamID, e.Width, e.Height)
		case callback.StreamEnd:
			fmt.Printf("%s ended: %s\n", e.StreamID, e.ErrMsg)
		}
		return nil // an error makes Stillcast send the event again
	})

	// What Stillcast sends:
	t := time.Now().Add(10 * time.Minute).Unix()
	body := fmt.Sprintf(`{"app":"push.example.com","event_type":200,"height":720,"sign":%q,"stream_id":"room1","t":%d,"width":1280}`,
		callback.Sign("s3cret", t), t)
	for range 2 {
		request := httptest.NewRequest(http.MethodPost, "/hooks", strings.NewReader(body))
		request.Header.Set(callback.HeaderEventID, "0197-1")
		response := httptest.NewRecorder()
		hooks.ServeHTTP(response, request)
		fmt.Println(response.Code, strings.TrimSpace(response.Body.String()))
	}
	// Output:
	// event 0197-1: push.example.com/room1 1280x720
	// 200 {"code":0}
	// 200 {"code":0}
}

// Verify and Parse serve receivers that use another HTTP stack.
func ExampleVerify() {
	body := []byte(`{"event_type":200,"sign":"9153bc00eab7434d9a5ee31b48b2f889","stream_id":"room1","t":1622600525}`)

	sent := time.Unix(1622599925, 0)
	fmt.Println(callback.Verify(body, "s3cret", sent))
	fmt.Println(callback.Verify(body, "s3cret", sent.Add(time.Hour)))
	fmt.Println(callback.Verify(body, "guess", sent))
	// Output:
	// <nil>
	// signature expired: t is 1622600525, now is 1622603525
	// bad signature: sign must be md5hex(key + t)
}

// Two keys are valid while one replaces the other.
func ExampleVerifier() {
	v := callback.Verifier{Keys: []string{"new key", "old key"}}
	t := int64(1622600525)
	body := fmt.Sprintf(`{"event_type":1,"sign":%q,"t":%d}`, callback.Sign("old key", t), t)
	fmt.Println(v.Verify([]byte(body), time.Unix(t-600, 0)))
	// Output: <nil>
}

func ExampleParse() {
	event, err := callback.Parse([]byte(`{"event_type":0,"stream_id":"room1","errcode":1,"errmsg":"the publisher stopped","push_duration":"74000"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	if end, ok := event.(callback.StreamEnd); ok {
		fmt.Println(end.StreamID, end.ErrCode, end.PushDuration)
	}
	// Output: room1 1 74000
}

// With a signing secret the whole body is verified, by the headers of Standard
// Webhooks. This is for receivers that use another HTTP stack; a Handler does it
// with Options.Secrets.
func ExampleVerifier_VerifyRequest() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	v := callback.Verifier{Secrets: []string{secret}}

	// What Stillcast sends:
	body := []byte(`{"event_type":200,"stream_id":"room1"}`)
	sent := time.Unix(1622599925, 0)
	signature, err := callback.SignWebhook(secret, "0197-1", sent, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set(callback.HeaderWebhookID, "0197-1")
	header.Set(callback.HeaderWebhookTimestamp, "1622599925")
	header.Set(callback.HeaderWebhookSignature, signature)

	fmt.Println(v.VerifyRequest(header, body, sent))
	fmt.Println(v.VerifyRequest(header, []byte(`{"event_type":200,"stream_id":"room2"}`), sent))
	fmt.Println(v.VerifyRequest(http.Header{}, body, sent))
	// Output:
	// <nil>
	// bad signature: webhook-signature is not that of the id, time and body by any of the secrets
	// event is signed without its body: webhook-id, webhook-timestamp and webhook-signature are missing
}
