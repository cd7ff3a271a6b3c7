package faulttest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ingest/rtmp/publish"
	"github.com/stillcast/stillcast/internal/testkit"
)

// fleet is many publishers. Each pushes its stream whenever there is a server, and
// begins again when it lost that.
type fleet struct {
	clip string

	mu      sync.Mutex
	address string        // "" for no server
	changed chan struct{} // closed when address changes
	stop    context.CancelFunc
	wg      sync.WaitGroup
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	return &fleet{
		clip: testkit.MakeFile(t, "flv", testkit.Source{Width: 160, Height: 90, Rate: 10},
			testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: 2 * time.Second}),
		changed: make(chan struct{}),
	}
}

// begin makes the publishers of n streams.
func (f *fleet) begin(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // an orderly end, before servers are killed
	f.stop = cancel
	for i := range n {
		f.wg.Go(func() { f.publish(ctx, fmt.Sprintf("s%02d", i)) })
	}
	t.Cleanup(f.end)
}

// end ends all pushes, in order where there is a server.
func (f *fleet) end() {
	f.stop()
	f.wg.Wait()
}

// pushTo says where the server is.
func (f *fleet) pushTo(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.address = address
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fleet) server() (address string, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.address, f.changed
}

func (f *fleet) publish(ctx context.Context, name string) {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		address, changed := f.server()
		if address == "" {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		// That it fails is what the test is about: the server is killed.
		if f.push(ctx, address, name) != nil {
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
		}
	}
}

func (f *fleet) push(ctx context.Context, address, name string) error {
	clip, err := os.Open(f.clip)
	if err != nil {
		return err
	}
	defer clip.Close()
	url := "rtmp://" + address + "/live/" + name + "?" + stillcast.PushParam(pushKey, name, time.Now().Add(time.Hour))
	client, err := publish.Dial(ctx, url, publish.Options{})
	if err != nil {
		return err
	}
	return publish.PushFile(ctx, client, clip, publish.PushOptions{Loop: true})
}
