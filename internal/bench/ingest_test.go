package bench

import (
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/chunk"
)

func someIngestOptions() IngestOptions {
	return IngestOptions{
		Streams: 1, ChunkSizes: []int{128, 60000}, Writes: []string{WritesFrames, WritesFFmpeg},
		BitRate: 1_000_000, GOP: 2 * time.Second, FPS: 25, Size: "640x360",
		Duration: time.Second, Rounds: 1, Floor: []int{65536}, Vs: []string{"server --listen {addr}"},
	}
}

func TestIngestOptions(t *testing.T) {
	t.Parallel()
	if err := someIngestOptions().Validate(); err != nil {
		t.Errorf("good options: %v", err)
	}
	tests := []struct {
		change func(*IngestOptions)
		text   string
	}{
		{func(o *IngestOptions) { o.Streams = 0 }, "streams: is 0; allowed are 1 to 10000"},
		{func(o *IngestOptions) { o.Duration = 0 }, "duration: is 0s"},
		{func(o *IngestOptions) { o.Rounds = 0 }, "rounds: is 0"},
		{func(o *IngestOptions) { o.ChunkSizes = []int{127} }, "chunk-size: is 127; allowed are 128 to 65536"},
		{func(o *IngestOptions) { o.ChunkSizes = nil }, "chunk-size: is missing"},
		{func(o *IngestOptions) { o.Writes = []string{"slowly"} }, `writes: is "slowly"; allowed are frames and ffmpeg`},
		{func(o *IngestOptions) { o.Writes = nil }, "writes: is missing"},
		{func(o *IngestOptions) { o.BitRate = 1 }, "bitrate: is 1; allowed are 50000 to 100000000"},
		{func(o *IngestOptions) { o.GOP = time.Minute }, "gop: is 1m0s; allowed are 200ms to 20s"},
		{func(o *IngestOptions) { o.FPS = 1; o.GOP = 200 * time.Millisecond }, "gop: is 200ms"},
		{func(o *IngestOptions) { o.FPS = 0 }, "fps: is 0; allowed are 1 to 120"},
		{func(o *IngestOptions) { o.Size = "640x361" }, `size: is "640x361"; expected WIDTHxHEIGHT, both even`},
		{func(o *IngestOptions) { o.Size = "640x360p" }, `size: is "640x360p"`},
		{func(o *IngestOptions) { o.Floor = []int{0} }, "floor: is 0; allowed are 1 to 1048576"},
		{func(o *IngestOptions) { o.Vs = []string{"server"} }, `vs: "server" does not say where the server's address belongs; expected {addr} in it`},
		{func(o *IngestOptions) { o.Interval = time.Second }, "interval: is 1s; allowed are 2s to 5m0s"},
		{func(o *IngestOptions) { o.Interval = 10 * time.Second }, "interval: takes shots, which no other server does"},
		{func(o *IngestOptions) { o.Idle = -1 }, "idle: is -1; allowed are 0 to 100000"},
		{func(o *IngestOptions) { o.Idle = 5 }, "floor: receives no commands"},
	}
	for _, tt := range tests {
		o := someIngestOptions()
		tt.change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("error %v, wanted one with %q", err, tt.text)
		}
	}
	clip := someIngestOptions()
	clip.Clip, clip.FPS = "mine.flv", 0
	if err := clip.Validate(); err != nil {
		t.Errorf("a clip says by itself what it is: %v", err)
	}
}

func TestCommandName(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"bin/peer-lal {addr}": "peer-lal", "/x/server --rtmp={addr} --quiet": "server --quiet", "{addr}": "{addr}",
	} {
		if got := commandName(command); got != want {
			t.Errorf("%q is called %q, wanted %q", command, got, want)
		}
	}
}

// someLoad is two rounds whose figures are easy to work with.
func someLoad() IngestLoad {
	run := func(target string, cpu float64) IngestRun {
		return IngestRun{
			Target: target, Seconds: 10, Bytes: 2e9, CPU: cpu, Empty: 40 << 20,
			Memory: []MemorySample{{At: 1, Server: 50 << 20}, {At: 10, Server: 60 << 20}},
		}
	}
	shots := run(targetStillcast, 1)
	shots.Shots = &IngestShots{Due: 1000, Taken: 999, Events: 998}
	shots.Lost, shots.Cause = 2, "stream 7 of 100: gone"
	return IngestLoad{
		ChunkSize: 4096, Writes: WritesFrames, Streams: 100, BitRate: 16e6, Seconds: 10,
		Rounds: []IngestRound{
			{Runs: []IngestRun{shots, run("other", 6)}},
			{Runs: []IngestRun{run(targetStillcast, 2), run("other", 8)}},
		},
	}
}

func TestIngestFigures(t *testing.T) {
	t.Parallel()
	l := someLoad()
	r := l.Rounds[0].Runs[0]
	r.addWaiting([]waiting{{connections: 100, bytes: 400_000, most: 5000}, {connections: 100, bytes: 800_000, most: 20_000}}, 2e6)
	got := []float64{
		r.perGB(), r.perCore(16e6), r.perStream(100), r.WaitingMean, r.WaitingMost, r.Shots.taken(),
		IdleRun{Connections: 1000, Empty: 40 << 20, Full: 72 << 20}.perConnection(),
		IngestRun{}.perGB(), IngestRun{}.perStream(0),
	}
	want := []float64{0.5, 1000, 20 << 20 / 100.0, 0.003, 0.01, 0.999, 32 << 20 / 1000.0, 0, 0}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	at := time.Now()
	before := []report{{Sent: 100, At: at}, {Sent: 50, At: at}}
	after := []report{{Sent: 300, At: at.Add(2 * time.Second)}, {Sent: 350, At: at.Add(time.Second)}}
	if got := sentRate(before, after); math.Abs(got-400) > 1e-9 {
		t.Errorf("%g bytes per second, wanted 400", got)
	}
}

func TestIngestText(t *testing.T) {
	t.Parallel()
	l := someLoad()
	text := squeeze(l.text())
	for _, want := range []string{
		"\n100 streams for 10s, chunks of 4096 bytes, written as frames\n",
		"\n CPU seconds for each GB least median most\n stillcast 0.500 0.750 1.000\n other 3.000 3.500 4.000\n",
		"\n stillcast 500 750 1000\n other 125 146 167\n",
		"\n CPU for each GB, divided by that of stillcast in its round least median most\n other 4.00 5.00 6.00\n",
		"\n stillcast 205 205 205\n",
		"\n pushes dropped 2, THE FIRST: stream 7 of 100: gone\n",
		"\n shots 1000 due, 999 taken (99.90 %), 0 passed over (no key frame near), 0 shed, 0 failed, 998 events\n",
		"\n memory of the server (RSS) 40.0 MiB before the first push; 50 MiB at 1s, ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not hold %q:\n%s", want, text)
		}
	}
	r := IngestReport{Idle: []IdleRound{{Runs: []IdleRun{{Target: targetStillcast, Connections: 1000, Empty: 40 << 20, Full: 56 << 20, CPU: 0.1, Seconds: 10}}}}}
	text = squeeze(r.idleText())
	for _, want := range []string{
		"\n1000 connections that publish nothing\n", "\n stillcast 16.4 16.4 16.4\n", "\n stillcast 10.0 10.0 10.0\n", "\n connections dropped none\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not hold %q:\n%s", want, text)
		}
	}
}

func TestParseWaiting(t *testing.T) {
	t.Parallel()
	text := `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:078F 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 1 1 0
   1: 0100007F:078F 0200007F:9C40 01 00000010:00000064 00:00000000 00000000     0        0 2 1 0
   2: 0200007F:9C40 0100007F:078F 01 00000020:00000999 00:00000000 00000000     0        0 3 1 0
   3: 0100007F:078F 0200007F:9C41 01 00000000:00000190 00:00000000 00000000     0        0 4 1 0
   4: 0100007F:078F 0200007F:9C42 06 00000000:00000999 00:00000000 00000000     0        0 5 1 0
   5: 0100007F:078F 0200007F:9C43 01 00000000:zz 00:00000000
`
	want := waiting{connections: 2, bytes: 500, most: 400}
	if got := parseWaiting([]byte(text), 1935); got != want {
		t.Errorf("%+v, wanted %+v", got, want)
	}
}

// What a real connection holds back is seen from outside.
func TestReadWaiting(t *testing.T) {
	t.Parallel()
	l, err := listenLocal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if _, err := conn.Write(make([]byte, 1234)); err != nil {
		t.Fatal(err)
	}
	port, err := portOf(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w, err := readWaiting(port)
	if want := (waiting{connections: 1, bytes: 1234, most: 1234}); err != nil || w != want {
		t.Errorf("%+v, %v; wanted %+v", w, err, want)
	}
	if _, err := portOf("nowhere"); err == nil {
		t.Error("an address without a port has one")
	}
}

func TestParseKernelTCP(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"sockets: used 9\nTCP: inuse 5 orphan 0 tw 2 alloc 7 mem 42\nUDP: inuse 1 mem 7\n": 42,
		"UDP: inuse 1 mem 7\n": 0, "TCP: mem x\n": 0, "TCP: mem\n": 0, "": 0,
	} {
		if got := parseKernelTCP([]byte(text)); got != want {
			t.Errorf("parseKernelTCP(%q) = %d, wanted %d", text, got, want)
		}
	}
}

func TestLocalAddress(t *testing.T) {
	t.Parallel()
	for index, want := range map[int]string{0: "127.0.0.2", 499: "127.0.0.2", 500: "127.0.0.3", 99_999: "127.0.0.201", 254 * 500: "127.0.1.0"} {
		if got := localAddress(index).String(); got != want {
			t.Errorf("connection %d comes from %s, wanted %s", index, got, want)
		}
	}
}

// A message in pieces is the same bytes, cut where chunks begin and end.
func TestPieces(t *testing.T) {
	t.Parallel()
	l, err := listenLocal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := &fleet{order: order{Spread: true}}
	p, err := f.connect(t.Context(), "tcp", l.Addr().String(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if from := accepted.RemoteAddr().(*net.TCPAddr).IP.String(); from != "127.0.0.2" {
		t.Errorf("connected from %s", from)
	}
	if err := p.split(128); err != nil {
		t.Fatal(err)
	}
	var cuts []int
	w := chunk.NewWriter(writerFunc(func(b []byte) (int, error) {
		cuts = cutsOf(len(b), 128)
		return p.Write(b)
	}))
	if err := w.Write(chunk.Message{ChunkStream: 6, Type: chunk.TypeVideo, Payload: make([]byte, 300)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{12, 128, 1, 128, 1, 44}, cuts); diff != "" {
		t.Errorf("pieces (-want +got):\n%s", diff)
	}
	buf := make([]byte, 1000)
	got := 0
	for got < 314 {
		n, err := accepted.Read(buf[got:])
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	if got != 314 {
		t.Errorf("%d bytes arrived, wanted 314", got)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestAllowFiles(t *testing.T) {
	if err := allowFiles(1); err != nil {
		t.Error(err)
	}
	// More than the kernel allows anybody (fs.nr_open).
	if err := allowFiles(1 << 40); err == nil || !strings.Contains(err.Error(), "connections need") || !strings.Contains(err.Error(), "ulimit -Hn") {
		t.Errorf("error %v", err)
	}
}
