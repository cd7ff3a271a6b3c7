package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/config"
)

// The script first-start.txtar shows the rest: there a start would need the
// default ports, which may be taken; here it gets free ones.
func TestFirstStartPrintsPushURLsThatWork(t *testing.T) {
	clip := makeClip(t)
	t.Setenv("GORACE", noExitDelay)
	t.Chdir(t.TempDir())
	path, key, err := serveCommand{}.file()
	if err != nil || key == "" {
		t.Fatalf("file gave the key %q and the error %v, want a new key", key.Reveal(), err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = config.Listen{RTMP: "127.0.0.1:0", HTTP: "127.0.0.1:0", Ops: "127.0.0.1:0"}
	said, out := io.Pipe()
	s := service{path: path, key: key, config: cfg, out: out, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		defer out.Close()
		served <- s.run(ctx)
	}()
	forFFmpeg, forOBS := pushURLsIn(t, said)
	if forFFmpeg != forOBS {
		t.Errorf("the URL for ffmpeg is %s, that for OBS %s", forFFmpeg, forOBS)
	}
	push := pushCommand{File: clip, URL: forFFmpeg, Copies: 1}
	if err := push.Run(ctx, output{out: io.Discard, err: t.Output()}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("the server ended with: %v", err)
	}
	pictures, err := filepath.Glob(filepath.Join("data", "pictures", "*", "*", "first-*.jpg"))
	if err != nil || len(pictures) != 1 {
		t.Errorf("pictures %q, %v; want one", pictures, err)
	}
}

// pushURLsIn reads the greeting to its end.
func pushURLsIn(t *testing.T, said io.Reader) (forFFmpeg, forOBS string) {
	t.Helper()
	var greeting strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		greeting.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "More push URLs:") {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, said) }() // until the server ends
	form := regexp.MustCompile(`(?s)-f flv '(rtmp://\S+)'\n.*Server +(rtmp://\S+)\n +Stream key +(\S+)\n`)
	found := form.FindStringSubmatch(greeting.String())
	if found == nil {
		t.Fatalf("the greeting holds no push URLs:\n%s", &greeting)
	}
	return found[1], found[2] + "/" + found[3]
}
