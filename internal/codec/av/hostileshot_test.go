package av_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
)

const outcomePicture = "picture"

// shotReport is what became of one shot, a line of a batch.
type shotReport struct {
	seed    int
	codec   string
	how     string // it was damaged
	refused bool   // by the walk through its structure, before any decoder
	outcome string
	cpu     time.Duration // of the decoder and what follows
	memory  int           // KiB that the process had more at its peak than at its start
}

// String is a line of the protocol, and for people.
func (r shotReport) String() string {
	return fmt.Sprintf("%d|%s|%s|%t|%s|%d µs|%d KiB", r.seed, r.codec, r.how, r.refused, r.outcome, r.cpu.Microseconds(), r.memory)
}

func parseReport(line string) (shotReport, error) {
	parts := strings.Split(line, "|")
	if len(parts) != 7 {
		return shotReport{}, errors.New("that is no report")
	}
	r := shotReport{codec: parts[1], how: parts[2], refused: parts[3] == "true", outcome: parts[4]}
	seed, err1 := strconv.Atoi(parts[0])
	cpu, err2 := strconv.Atoi(strings.TrimSuffix(parts[5], " µs"))
	memory, err3 := strconv.Atoi(strings.TrimSuffix(parts[6], " KiB"))
	r.seed, r.cpu, r.memory = seed, time.Duration(cpu)*time.Microsecond, memory
	return r, errors.Join(err1, err2, err3)
}

// runHostileBatch tries a batch in this process and prints what becomes of each shot.
func runHostileBatch(batch string) error {
	parts := strings.Split(batch, ",")
	if len(parts) != 3 {
		return fmt.Errorf("%s=%s: wanted FILE,FIRST,COUNT", hostileBatchEnv, batch)
	}
	first, err1 := strconv.Atoi(parts[1])
	count, err2 := strconv.Atoi(parts[2])
	data, err3 := os.ReadFile(parts[0])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	var all []sample
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&all); err != nil {
		return err
	}
	// No av.Setup, which would keep memory from one shot to the next.
	base, err := highWater()
	if err != nil {
		return err
	}
	for seed := first; seed < first+count; seed++ {
		h := makeHostile(all, seed)
		fmt.Fprintln(os.Stdout, "begin", seed, h.in.Codec, h.how)
		report := shotReport{seed: seed, codec: h.in.Codec.String(), how: h.how, refused: h.isRefused()}
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // begins VmHWM anew (proc(5))
			return err
		}
		before := processorTime()
		report.outcome, err = h.shoot()
		if err != nil {
			return err
		}
		report.cpu = processorTime() - before
		most, err := highWater()
		if err != nil {
			return err
		}
		report.memory = most - base
		fmt.Fprintln(os.Stdout, report)
	}
	return nil
}

// highWater is the most memory that this process has had, in KiB (proc(5), VmHWM).
func highWater() (int, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	value, _, ok := strings.Cut(strings.TrimSpace(rest), " kB")
	if !ok {
		return 0, errors.New("/proc/self/status tells no VmHWM")
	}
	return strconv.Atoi(value)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// isRefused walks through what a decoder will be given, as the server does before.
func (h hostile) isRefused() bool {
	config, err := media.ParseConfig(h.in.Codec, h.in.Record, codectest.MaxPixels)
	for i := 0; err == nil && i < len(h.in.Units); i++ {
		media.StartOf(config, h.in.Units[i])
		media.Disposable(config, h.in.Units[i])
		err = media.CheckUnit(config, h.in.Units[i], codectest.MaxPixels)
	}
	return err != nil
}

// shoot decodes, measures and encodes. Errors that are of no kind are those of the code under test.
func (h hostile) shoot() (outcome string, err error) {
	frame, err := av.Decode(h.in, codectest.MaxPixels)
	if err != nil {
		return kindOf(err)
	}
	defer frame.Close()
	if pixels := frame.Width() * frame.Height(); pixels < 1 || pixels > codectest.MaxPixels {
		return "", fmt.Errorf("frame of %dx%d pixels", frame.Width(), frame.Height())
	}
	if _, err := frame.Measure(); err != nil {
		return kindOf(err)
	}
	width, height := frame.Width(), frame.Height()
	if h.width > 0 {
		width, height = h.width, h.height
	}
	picture, err := frame.Picture(av.Geometry{Width: width, Height: height})
	if err != nil {
		return kindOf(err)
	}
	defer picture.Close()
	if h.webp {
		_, err := picture.WebP(85)
		return kindOf(err)
	}
	data, err := picture.JPEG(av.JPEGOptions{Quality: 85, Progressive: h.progressive})
	if err != nil {
		return kindOf(err)
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err == nil && (head.Width != width || head.Height != height) {
		err = fmt.Errorf("JPEG of %dx%d pixels, wanted %dx%d", head.Width, head.Height, width, height)
	}
	return outcomePicture, err
}

// kindOf names a failure that is right, and hands on any other.
func kindOf(err error) (string, error) {
	if err == nil {
		return outcomePicture, nil
	}
	for _, kind := range []error{av.ErrDamaged, av.ErrNoPicture, av.ErrTooLarge, av.ErrUnsupported} {
		if errors.Is(err, kind) {
			return kind.Error(), nil
		}
	}
	return "", err
}

// hostile is one shot: what is decoded, and what is to be made of it.
type hostile struct {
	in                av.Input
	how               string
	width, height     int // 0 is the frame's
	progressive, webp bool
}

// makeHostile makes the shot of a seed, always the same.
func makeHostile(all []sample, seed int) hostile {
	rng := rand.New(rand.NewPCG(uint64(seed), 3)) //nolint:gosec // the same at every run
	d := damager{rng, all}
	from := d.sample()
	// Large ones cost ten times as much.
	for strings.HasSuffix(from.Name, "large") && rng.IntN(4) > 0 {
		from = d.sample()
	}
	h := hostile{in: d.damaged(from), how: from.Name, progressive: rng.IntN(8) == 0, webp: rng.IntN(32) == 0}
	if rng.IntN(2) == 0 {
		h.width, h.height = 1+rng.IntN(640), 1+rng.IntN(360)
	}
	return h
}
