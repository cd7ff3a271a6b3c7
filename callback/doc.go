// Package callback is for servers that receive Stillcast's events: it verifies,
// parses and de-duplicates them. It imports the standard library only. The
// events are those of Tencent Cloud CSS, so it serves receivers of that cloud
// as well.
//
// # What arrives
//
// Each event is one HTTP POST of a JSON object, Content-Type application/json:
//
//	event_type  Go type         when
//	200         [Screenshot]    a picture was taken, and can be downloaded from pic_full_url
//	1           [StreamBegin]   a push was accepted
//	0           [StreamEnd]     a push ended; errcode says why
//	321         [PushException] something is wrong with a push, which goes on
//
// With a signing secret in the callback template, the headers of Standard Webhooks
// 1.0.0 sign the body: [HeaderWebhookID], [HeaderWebhookTimestamp] and
// [HeaderWebhookSignature], see [SignWebhook]. That is what to verify.
//
// With a key there is also the signature of Tencent Cloud, in two members of the
// body: t, the Unix time in seconds at which the signature expires (ten minutes
// after it was sent), and
//
//	sign = lower-case hex of MD5(key + decimal t)
//
// where key is the key of the callback template. Both are made anew for every
// attempt. Beside the body, Stillcast sends the headers [HeaderEventID],
// [HeaderEventTime], [HeaderSequence] and [HeaderAttempt], see [Meta].
//
// # What to answer
//
// Status 200 means received; the body is of no interest, {"code":0} is usual.
// Anything else (other 2xx too, unless the callback template has the profile
// standard), or no answer in time (20 seconds unless configured otherwise) is a
// failure: the event is sent again, by default five times two minutes apart, in
// the profile standard for 72 hours, and is then parked: kept, and no longer tried
// by itself. Retry-After is followed, and after 410 nothing more is sent. So answer
// 200 only once the event is safe with you, and answer soon: put long work into a
// queue of your own.
//
// An event may arrive more than once, with the same event id, and events of a
// stream may arrive out of order. [HeaderSequence] numbers a stream's events of one
// type to one callback template from 1 without gaps: a number that is missing is
// still to come.
//
// # How to receive
//
// [Handler] does all of this around a function of yours:
//
//	http.Handle("POST /hooks", callback.Handler(callback.Options{
//		Secrets: []string{os.Getenv("CALLBACK_SECRET")},
//		Replay:  callback.NewReplayGuard(0, 0),
//	}, receive))
//
// To change a secret or key without losing an event, list the new and the old one in
// [Options], change that of the callback template, then drop the old one. With
// another HTTP stack, call [Verifier.VerifyRequest] and [Parse].
//
// # What sign does not do
//
// It covers the key and t, not the other members and not the headers: it shows
// that the sender knew the key, and whoever can read one event can send another
// under its signature until that expires. So where there is a secret, an event
// without the headers that it signs is refused ([ErrDowngraded]), and the key is of
// no use to anybody. Use https, keep bodies out of logs
// (stream_param holds the publisher's push credentials), and treat pic_full_url,
// also that of renditions, as data from outside.
package callback
