package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Sizes in the log (sqlite.org/fileformat2.html#walformat), in bytes.
const (
	logHeaderSize   = 32
	frameHeaderSize = 24
)

// logVersion is the only version of the format.
const logVersion = 3007000

// inspectLog reports whether the write-ahead log holds anything, and what is
// wrong with it, "" for nothing. SQLite takes a log up to the first frame that is
// wrong, silently, since a crash leaves such an end. But a commit is on the disk
// before the next one begins: so a crash leaves at most one commit behind such a
// frame, and two or more are lost ones.
func inspectLog(path string) (used bool, fault string, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	defer func() { _ = file.Close() }() // only read
	return readLog(bufio.NewReaderSize(file, 1<<20))
}

func readLog(r io.Reader) (used bool, fault string, err error) {
	var header [logHeaderSize]byte
	if _, err := io.ReadFull(r, header[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, "", nil // nothing was ever committed to it
	} else if err != nil {
		return false, "", err
	}
	if header == [logHeaderSize]byte{} {
		return false, "", nil // its length reached the disk, its content did not
	}
	l, fault := newLog(header[:])
	if fault != "" {
		return true, fault, nil
	}
	fault, err = l.frames(r)
	return true, fault, err
}

// logReader follows a log. Fields are those of its header.
type logReader struct {
	order    binary.ByteOrder // of the words that are summed up
	pageSize int
	salts    [2]uint32
	sums     [2]uint32
}

func newLog(header []byte) (*logReader, string) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(header[4*i:]) }
	l := &logReader{pageSize: int(word(2)), salts: [2]uint32{word(4), word(5)}}
	switch word(0) {
	case 0x377f0682:
		l.order = binary.LittleEndian
	case 0x377f0683:
		l.order = binary.BigEndian
	default:
		return nil, "it does not begin like a log of SQLite"
	}
	if word(1) != logVersion || l.pageSize < 512 || l.pageSize > 1<<16 || l.pageSize&(l.pageSize-1) != 0 {
		return nil, fmt.Sprintf("its header names version %d and pages of %d bytes", word(1), l.pageSize)
	}
	l.sum(header[:24])
	if l.sums != [2]uint32{word(6), word(7)} {
		return nil, "the sum over its header is wrong"
	}
	return l, ""
}

// frames goes through the frames.
func (l *logReader) frames(r io.Reader) (fault string, err error) {
	frame := make([]byte, frameHeaderSize+l.pageSize)
	broken, lost := 0, 0
	for n := 1; ; n++ {
		if _, err := io.ReadFull(r, frame); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		} else if err != nil {
			return "", err
		}
		if broken == 0 && !l.holds(frame) {
			broken = n
		}
		if broken > 0 && l.commits(frame) {
			lost++
		}
	}
	if lost > 1 {
		return fmt.Sprintf("frame %d is wrong, and %d commits come after it", broken, lost), nil
	}
	return "", nil
}

// holds reports whether the frame is the next one.
func (l *logReader) holds(frame []byte) bool {
	if !l.own(frame) {
		return false
	}
	l.sum(frame[:8])
	l.sum(frame[frameHeaderSize:])
	return l.sums == [2]uint32{binary.BigEndian.Uint32(frame[16:]), binary.BigEndian.Uint32(frame[20:])}
}

// own reports whether the frame is of this log and not what is left of the one
// before in the same file.
func (l *logReader) own(frame []byte) bool {
	return l.salts == [2]uint32{binary.BigEndian.Uint32(frame[8:]), binary.BigEndian.Uint32(frame[12:])}
}

// commits reports whether the frame looks like the last one of a commit.
func (l *logReader) commits(frame []byte) bool {
	return l.own(frame) && binary.BigEndian.Uint32(frame[4:]) != 0
}

// sum adds to the sums; the length of data is a multiple of 8.
func (l *logReader) sum(data []byte) {
	a, b := l.sums[0], l.sums[1]
	for ; len(data) >= 8; data = data[8:] {
		a += l.order.Uint32(data) + b
		b += l.order.Uint32(data[4:]) + a
	}
	l.sums = [2]uint32{a, b}
}
