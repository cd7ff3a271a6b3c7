package codec

import (
	"context"
	"errors"

	"github.com/stillcast/stillcast/internal/codec/av"
)

// Why there is no picture. Tests are by errors.Is; the texts around them say
// more. The first four are about the access units: trying the same ones again gives the same
// error.
var (
	// ErrNoPicture says that the access units hold no whole picture.
	ErrNoPicture = av.ErrNoPicture
	// ErrDamaged says that the access units are broken, or that parts of the
	// picture would be made up.
	ErrDamaged = av.ErrDamaged
	// ErrTooLarge says that picture or access units are larger than the
	// configuration allows.
	ErrTooLarge = av.ErrTooLarge
	// ErrUnsupported says that the codec, or its pixel or colour format, is not
	// supported.
	ErrUnsupported = av.ErrUnsupported
	// ErrWorkerDied says that the worker died or answered nonsense, and the one that
	// tried again did too: the access units are poison.
	ErrWorkerDied = errors.New("the worker died")
	// ErrTimeout says that both tries, or the second after a worker that died, took longer than
	// Config.Timeout: the access units are poison.
	ErrTimeout = errors.New("the worker took too long")
	// ErrClosed says that the pool is closed.
	ErrClosed = errors.New("the codec pool is closed")
)

// Failures that a worker reports, by their numbers in the protocol, and the
// word for each in metrics.
var failures = [...]struct { //nolint:gochecknoglobals // a constant table
	number byte
	err    error
	result string
}{
	{1, ErrNoPicture, "no_picture"},
	{2, ErrDamaged, "damaged"},
	{3, ErrTooLarge, "too_large"},
	{4, ErrUnsupported, "unsupported"},
}

// resultOf returns the label of a shot's outcome in metrics.
func resultOf(err error) string {
	if err == nil {
		return "picture"
	}
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f.result
		}
	}
	switch {
	case errors.Is(err, ErrTimeout):
		return "timeout"
	case errors.Is(err, ErrWorkerDied):
		return "worker_died"
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	}
	return "invalid"
}
