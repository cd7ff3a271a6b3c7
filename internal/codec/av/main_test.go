package av_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
)

func TestMain(m *testing.M) {
	if batch := os.Getenv(hostileBatchEnv); batch != "" {
		if err := runHostileBatch(batch); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	av.Setup()
	goleak.VerifyTestMain(m)
}

func input(clip codectest.Clip) av.Input {
	return av.Input{Codec: clip.Config.Codec, Record: clip.Config.Record, Units: clip.Units}
}

// shoot makes a JPEG of a size; 0x0 is that of the frame as it is shown.
func shoot(in av.Input, width, height, quality int) ([]byte, error) {
	frame, err := av.Decode(in, codectest.MaxPixels)
	if err != nil {
		return nil, err
	}
	defer frame.Close()
	if width == 0 {
		width, height = frame.Width(), frame.Height()
		if frame.Turned() {
			width, height = height, width
		}
	}
	picture, err := frame.Picture(av.Geometry{Width: width, Height: height})
	if err != nil {
		return nil, err
	}
	defer picture.Close()
	return picture.JPEG(av.JPEGOptions{Quality: quality})
}
