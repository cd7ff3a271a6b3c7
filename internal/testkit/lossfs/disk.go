package lossfs

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// sector is the largest piece of a write that is on the disk or is not, in bytes.
const sector = 512

// disk is all files and folders. Its methods but cut, fill and space want mu held.
type disk struct {
	mu      sync.Mutex
	nodes   map[uint64]*node
	last    uint64
	namings []*naming // that the disk does not have, and some that it has, the oldest first
	limit   int64     // of used; 0: none
	used    int64     // bytes of all files
}

// node is a file or a folder.
type node struct {
	number   uint64
	mode     uint32 // with its type
	owner    fuse.Owner
	modified time.Time
	links    int // names of it that programs see
	opened   int

	content  []byte // of a file
	onDisk   []byte
	unsynced []change // from onDisk to content, the oldest first

	names       map[string]*node // in a folder
	namesOnDisk map[string]*node
	renamed     []*naming // from the latter to the former, the oldest first
}

func (n *node) isFolder() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

// change is a write, or without data the new size of a file.
type change struct {
	offset int64
	data   []byte
}

func (c change) apply(content []byte) []byte {
	if c.data == nil {
		return resize(content, c.offset)
	}
	if end := c.offset + int64(len(c.data)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[c.offset:], c.data)
	return content
}

func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		clear(content[size:]) // should it grow again
		return content[:size]
	}
	grow := int(size) - len(content)
	return slices.Grow(content, grow)[:size]
}

// naming is one change of names: all of it happens or nothing.
type naming struct {
	steps []step // that the disk does not have
}

// step gives a name in a folder to a node, or to none.
type step struct {
	folder *node
	name   string
	node   *node
}

// bringToDisk makes the steps in a folder, or with nil all.
func (c *naming) bringToDisk(folder *node) {
	c.steps = slices.DeleteFunc(c.steps, func(s step) bool {
		if folder != nil && s.folder != folder {
			return false
		}
		if s.node == nil {
			delete(s.folder.namesOnDisk, s.name)
		} else {
			s.folder.namesOnDisk[s.name] = s.node
		}
		return true
	})
}

func (c *naming) isOnDisk() bool { return len(c.steps) == 0 }

func newDisk() *disk {
	d := &disk{nodes: map[uint64]*node{}}
	root := d.make(syscall.S_IFDIR|0o755, fuse.Owner{})
	root.links = 1
	return d
}

func (d *disk) make(mode uint32, owner fuse.Owner) *node {
	d.last++ // the first one is the root, fuse.FUSE_ROOT_ID
	n := &node{number: d.last, mode: mode, owner: owner, modified: time.Now()}
	if n.isFolder() {
		n.names, n.namesOnDisk = map[string]*node{}, map[string]*node{}
	}
	d.nodes[n.number] = n
	return n
}

// change does what programs ask for a file.
func (d *disk) change(n *node, c change) syscall.Errno {
	end := c.offset + int64(len(c.data))
	grow := max(0, end-int64(len(n.content)))
	if c.data == nil {
		grow = end - int64(len(n.content))
	}
	if grow > 0 && !d.room(grow) {
		return syscall.ENOSPC
	}
	d.used += grow
	n.content = c.apply(n.content)
	n.unsynced = append(n.unsynced, c)
	n.modified = time.Now()
	return 0
}

func (d *disk) room(bytes int64) bool { return d.limit == 0 || d.used+bytes <= d.limit }

// name changes names.
func (d *disk) name(steps ...step) {
	change := &naming{steps}
	for _, s := range steps {
		if old := s.folder.names[s.name]; old != nil {
			old.links--
			delete(s.folder.names, s.name)
			d.forget(old)
		}
		if s.node != nil {
			s.folder.names[s.name] = s.node
			s.node.links++
		}
		s.folder.modified = time.Now()
		s.folder.renamed = append(s.folder.renamed, change)
	}
	d.namings = append(d.namings, change)
}

// forget gives back the space of a file that nobody can reach any more.
func (d *disk) forget(n *node) {
	if n.links > 0 || n.opened > 0 || d.nodes[n.number] == nil {
		return
	}
	d.used -= int64(len(n.content))
	delete(d.nodes, n.number)
}

// sync brings a file's content, or a folder's names, to the disk.
func (d *disk) sync(n *node) {
	for _, c := range n.unsynced {
		n.onDisk = c.apply(n.onDisk)
	}
	n.unsynced = nil
	for _, change := range n.renamed {
		change.bringToDisk(n)
	}
	n.renamed = nil
	// Those that were made last are the ones that are synced first, as a rule.
	for len(d.namings) > 0 && d.namings[len(d.namings)-1].isOnDisk() {
		d.namings = d.namings[:len(d.namings)-1]
	}
}

// cut goes back to what the disk has. With a source of chance, a part of what was
// not synced reached it.
func (d *disk) cut(chance *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if chance != nil {
		d.namings = slices.DeleteFunc(d.namings, (*naming).isOnDisk)
		for _, change := range d.namings[:chance.IntN(len(d.namings)+1)] {
			change.bringToDisk(nil)
		}
		for _, number := range slices.Sorted(maps.Keys(d.nodes)) {
			d.nodes[number].reachDisk(chance)
		}
	}
	root := d.nodes[fuse.FUSE_ROOT_ID]
	d.nodes, d.namings, d.used = map[uint64]*node{}, nil, 0
	d.restore(root)
}

// reachDisk brings some of what was not synced to the disk.
func (n *node) reachDisk(chance *rand.Rand) {
	for _, c := range n.unsynced {
		if c.data == nil {
			if chance.IntN(2) == 0 {
				n.onDisk = c.apply(n.onDisk)
			}
			continue
		}
		for rest := c.data; len(rest) > 0; {
			size := min(len(rest), sector-int(c.offset%sector))
			if chance.IntN(2) == 0 {
				n.onDisk = change{c.offset, rest[:size]}.apply(n.onDisk)
			}
			rest, c.offset = rest[size:], c.offset+int64(size)
		}
	}
}

// restore makes a node, and all in it, what the disk has.
func (d *disk) restore(n *node) {
	n.links++
	if d.nodes[n.number] != nil {
		return // it has more names than one
	}
	d.nodes[n.number] = n
	n.links, n.opened, n.unsynced, n.renamed = 1, 0, nil, nil
	n.content = bytes.Clone(n.onDisk)
	d.used += int64(len(n.content))
	if !n.isFolder() {
		return
	}
	n.names = maps.Clone(n.namesOnDisk)
	for _, child := range n.names {
		d.restore(child)
	}
}

// fill makes room for so many bytes and no more; negative lifts the limit.
func (d *disk) fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = 0
	if room >= 0 {
		d.limit = max(1, d.used+room)
	}
}
