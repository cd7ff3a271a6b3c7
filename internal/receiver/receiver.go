// Package receiver is a receiver of events for developers and for the demo: it
// verifies what arrives, can download and check the pictures, answers as it is
// told to, and reports all of it. Its events are those of package callback,
// which is what a receiver in production is built on.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/stillcast/stillcast/callback"
)

const (
	maxBody        = 1 << 20 // bytes of an event
	readTimeout    = 10 * time.Second
	maxDownloads   = 16
	defaultMaxSize = 32 << 20
)

// Options are the settings of a [Receiver].
type Options struct {
	// Addr is the address to listen on, HOST:PORT; port 0 takes any free one.
	Addr string
	// Keys are the keys that events are signed with, and Secrets the signing
	// secrets; see [callback.Verifier]. Without any, events are taken unverified.
	Keys, Secrets []string
	// FetchPictures downloads and checks the picture of each screenshot.
	FetchPictures bool
	// Save is a folder to keep the pictures in, and implies FetchPictures; it is
	// made if it does not exist. "" keeps none.
	Save string
	// MaxSize is the largest picture that is downloaded, in bytes; 0 means 32 MiB.
	MaxSize int64
	// Status answers verified events; 0 means 200.
	Status int
	// Delay is how long the answer to a verified event is held back.
	Delay time.Duration
	// OnEvent is called for everything that arrives, also for what is refused:
	// one call at a time, after the picture, if any, is here. It should return
	// soon. nil reports nothing.
	OnEvent func(Received)
	// Logger gets what is wrong with the receiver itself; nil logs nothing.
	Logger *slog.Logger
}

// Validate reports the first option that is not allowed.
func (o Options) Validate() error {
	switch {
	case o.Status != 0 && (o.Status < 200 || o.Status > 599):
		return fmt.Errorf("status is %d; allowed are 200 to 599", o.Status)
	case o.Delay < 0:
		return fmt.Errorf("delay is %s; it must not be negative", o.Delay)
	case o.MaxSize < 0:
		return fmt.Errorf("maximum size of pictures is %d; it must not be negative", o.MaxSize)
	}
	return nil
}

// Received is one request that arrived.
type Received struct {
	// At is when its body was here.
	At time.Time
	// Meta is what its headers say.
	Meta callback.Meta
	// Event is nil when the body is no event.
	Event callback.Event
	// Verified is nil when the signature is good, or when there is no key to
	// verify with; else the errors of package callback.
	Verified error
	// Status is what is answered: 400 or 403 to what is refused, else Options.Status.
	Status int
	// Picture is what became of a screenshot's picture; nil when none was wanted.
	Picture *Picture
	// Renditions are the same of the screenshot's renditions, in their order.
	Renditions []Picture
}

// Receiver is an HTTP server for events, on every path. It is safe for
// concurrent use.
type Receiver struct {
	options  Options
	verifier callback.Verifier
	listener net.Listener
	server   *http.Server
	client   *http.Client
	folder   *os.Root // nil: pictures are not kept

	ctx      context.Context // of downloads and delays; ends in Stop
	cancel   context.CancelFunc
	serving  sync.WaitGroup
	work     sync.WaitGroup // requests, downloads and reports
	mu       sync.Mutex
	stopping bool // no request is counted in any more
	slots    chan struct{}
	report   sync.Mutex
	stopOnce sync.Once
	stopErr  error
}

// New returns a receiver that listens but does not answer until Start. Call Stop
// to free its address, also without Start.
func New(o Options) (*Receiver, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("check options of receiver: %w", err)
	}
	if o.Status == 0 {
		o.Status = http.StatusOK
	}
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Receiver{
		options:  o,
		verifier: callback.Verifier{Keys: o.Keys, Secrets: o.Secrets},
		client:   newClient(),
		slots:    make(chan struct{}, maxDownloads),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.server = &http.Server{
		Handler:           http.HandlerFunc(r.handle),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
	if err := r.open(); err != nil {
		r.cancel()
		return nil, err
	}
	return r, nil
}

// open takes the folder and the address.
func (r *Receiver) open() error {
	if dir := r.options.Save; dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make folder of pictures: %w", err)
		}
		folder, err := os.OpenRoot(dir)
		if err != nil {
			return fmt.Errorf("open folder of pictures: %w", err)
		}
		r.folder = folder
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(r.ctx, "tcp", r.options.Addr)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for events: %w", err), r.closeFolder())
	}
	r.listener = listener
	return nil
}

func (r *Receiver) closeFolder() error {
	if r.folder == nil {
		return nil
	}
	return r.folder.Close()
}

// Addr returns the address that the receiver listens on.
func (r *Receiver) Addr() net.Addr { return r.listener.Addr() }

// Start begins to answer. It is called once.
func (r *Receiver) Start() {
	r.serving.Go(func() {
		if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
			r.options.Logger.Error("receiver ended", "error", err)
		}
	})
}

// Stop takes no more events and waits for the answers, downloads and reports
// under way; when ctx is done first, it cuts them short. More calls return the
// same.
func (r *Receiver) Stop(ctx context.Context) error {
	r.stopOnce.Do(func() { r.stopErr = r.stop(ctx) })
	return r.stopErr
}

func (r *Receiver) stop(ctx context.Context) error {
	cut := context.AfterFunc(ctx, r.cancel)
	defer cut()
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop receiver: %w", err), r.server.Close())
	}
	// Without Start the server does not know its listener.
	if closeErr := r.listener.Close(); closeErr != nil && !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	r.serving.Wait()
	r.mu.Lock()
	r.stopping = true
	r.mu.Unlock()
	r.work.Wait()
	r.cancel()
	r.client.CloseIdleConnections()
	return errors.Join(err, r.closeFolder())
}
