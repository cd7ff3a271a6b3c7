package ingest

import (
	"errors"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// Reason says in one word why a push was refused. It is a label of metrics, so
// the set is closed.
type Reason string

// The reasons.
const (
	ReasonName          Reason = "name"             // a part of the push URL is not allowed
	ReasonDomainUnknown Reason = "domain_unknown"   // not registered
	ReasonDomainOff     Reason = "domain_disabled"  // registered and disabled
	ReasonDomainFull    Reason = "domain_full"      // max_pushes_per_domain
	ReasonTxTimeMissing Reason = "txtime_missing"   // no txTime
	ReasonTxTimeBad     Reason = "txtime_invalid"   // no number
	ReasonExpired       Reason = "expired"          // txTime is over
	ReasonSecretMissing Reason = "txsecret_missing" // no txSecret
	ReasonSecretWrong   Reason = "txsecret_wrong"
	ReasonBanned        Reason = "banned"   // forbidden through the control API
	ReasonLive          Reason = "live"     // the stream is live already
	ReasonStopping      Reason = "stopping" // this server is
	ReasonInternal      Reason = "internal" // a defect of ours
)

func reasons() []Reason {
	return []Reason{
		ReasonName, ReasonDomainUnknown, ReasonDomainOff, ReasonDomainFull, ReasonTxTimeMissing, ReasonTxTimeBad, ReasonExpired,
		ReasonSecretMissing, ReasonSecretWrong, ReasonBanned, ReasonLive, ReasonStopping, ReasonInternal,
	}
}

// Refusal is why a push may not begin. It wraps the [stillcast.Error] that its
// publisher is told.
type Refusal struct {
	Reason Reason
	// Delay is how long the protocol should wait before it answers: addresses
	// that try many authorisations are slowed down.
	Delay time.Duration
	Err   error
}

// Error implements error.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the error for the publisher's eyes.
func (r *Refusal) Unwrap() error { return r.Err }

// Code is the code and sub-code that Tencent Cloud CSS gives to such a push in
// its stream-end error table, "" where it has none. No event carries it, since a
// push that never began does not end.
func (r *Refusal) Code() string {
	switch r.Reason {
	case ReasonDomainUnknown:
		return "18/301"
	case ReasonDomainOff:
		return "18/303"
	case ReasonName:
		return "18/308"
	case ReasonTxTimeMissing:
		return "18/500"
	case ReasonExpired:
		return "18/501"
	case ReasonSecretMissing:
		return "18/502"
	case ReasonTxTimeBad, ReasonSecretWrong:
		return "18/503"
	case ReasonDomainFull:
		return "18/600"
	case ReasonBanned:
		return "21/101"
	}
	return ""
}

// badAuth says whether somebody may have guessed.
func (r *Refusal) badAuth() bool {
	switch r.Reason {
	case ReasonDomainUnknown, ReasonTxTimeMissing, ReasonTxTimeBad, ReasonExpired, ReasonSecretMissing, ReasonSecretWrong:
		return true
	}
	return false
}

func refuse(reason Reason, err error) *Refusal { return &Refusal{Reason: reason, Err: err} }

// refuseAuth gives the reason for an error of [stillcast.PushAuth.Check].
func refuseAuth(err error) *Refusal {
	e, ok := errors.AsType[*stillcast.Error](err)
	if !ok {
		return refuse(ReasonInternal, err)
	}
	missing := strings.HasPrefix(e.Message, "is missing")
	switch {
	case e.Field == "txTime" && missing:
		return refuse(ReasonTxTimeMissing, err)
	case e.Field == "txTime" && strings.HasPrefix(e.Message, "expired"):
		return refuse(ReasonExpired, err)
	case e.Field == "txTime":
		return refuse(ReasonTxTimeBad, err)
	case missing:
		return refuse(ReasonSecretMissing, err)
	}
	return refuse(ReasonSecretWrong, err)
}
