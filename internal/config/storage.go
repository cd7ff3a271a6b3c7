package config

import (
	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore/file"
	"github.com/stillcast/stillcast/internal/spool"
)

// StorageFile is the type of storage that keeps pictures in a local folder.
const StorageFile = "file"

// Storage says where pictures go.
type Storage struct {
	Type   string       `yaml:"type"` // StorageFile
	File   file.Config  `yaml:"file"`
	Upload spool.Config `yaml:"upload"`
}

// DefaultStorage returns the settings of a configuration that says nothing.
func DefaultStorage() Storage {
	return Storage{
		Type:   StorageFile,
		File:   file.DefaultConfig(),
		Upload: spool.DefaultConfig(),
	}
}

// Validate reports the first setting that is not allowed.
func (s Storage) Validate() error {
	switch s.Type {
	case StorageFile:
	case "s3", "cos":
		return stillcast.Errorf(stillcast.CodeInvalid, "type", "is %q, which is not available in this build; available is file", s.Type)
	default:
		return stillcast.Errorf(stillcast.CodeInvalid, "type", "is %q; allowed is file", s.Type)
	}
	if err := s.File.Validate(); err != nil {
		return stillcast.Within("file", err)
	}
	if err := s.Upload.Validate(); err != nil {
		return stillcast.Within("upload", err)
	}
	return nil
}
