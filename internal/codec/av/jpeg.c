#include "jpeg.h"

#include <setjmp.h>
#include <stdio.h> // jpeglib.h needs it
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "baseline.h"
#include "strip.h"

// One encoding. It is a fresh one for each picture: libjpeg-turbo 2.1 keeps the Huffman tables of a progressive picture
// and writes the next baseline one with them, which no one can read.
typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf fatal;
    sc_jpeg *out;
    sc_strip strip;
    size_t capacity, most;
} encoder;

static void on_fatal(j_common_ptr common)
{
    encoder *e = common->client_data;
    char message[JMSG_LENGTH_MAX];
    common->err->format_message(common, message);
    snprintf(e->out->message, sizeof e->out->message, "%s", message);
    longjmp(e->fatal, 1);
}

static void on_message(j_common_ptr common)
{
    (void)common; // warnings: of no use to anyone
}

static void set_room(encoder *e, size_t used)
{
    e->destination.next_output_byte = e->out->bytes + used;
    e->destination.free_in_buffer = e->capacity - used;
}

static void on_start(j_compress_ptr jpeg)
{
    set_room(jpeg->client_data, 0);
}

static boolean on_full(j_compress_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    size_t used = e->capacity;
    if (used >= e->most) {
        ERREXIT(jpeg, JERR_FILE_WRITE);
    }
    size_t capacity = used * 2 < e->most ? used * 2 : e->most;
    uint8_t *bytes = realloc(e->out->bytes, capacity);
    if (!bytes) {
        ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
    }
    e->out->bytes = bytes;
    e->capacity = capacity;
    set_room(e, used);
    return TRUE;
}

static void on_end(j_compress_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    e->out->size = e->capacity - e->destination.free_in_buffer;
}

static int allocate(encoder *e, const AVFrame *frame)
{
    int code = sc_strip_init(&e->strip, frame->width);
    if (code < 0) {
        return code;
    }
    size_t stride = (size_t)e->strip.stride;
    size_t rows = (size_t)(frame->height + sc_strip_rows - 1) / sc_strip_rows * sc_strip_rows;
    e->most = stride * rows * 6 + (64 << 10); // noise at quality 100 has less than 5 bytes a pixel, in whole MCUs
    e->capacity = (size_t)frame->width * (size_t)frame->height / 4 + (16 << 10);
    e->out->bytes = malloc(e->capacity);
    return e->out->bytes ? 0 : AVERROR(ENOMEM);
}

static void set_parameters(encoder *e, const AVFrame *frame, int quality, int progressive)
{
    struct jpeg_compress_struct *jpeg = &e->jpeg;
    jpeg->image_width = (JDIMENSION)frame->width;
    jpeg->image_height = (JDIMENSION)frame->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_YCbCr;
    jpeg_set_defaults(jpeg); // baseline, 4:2:0
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->raw_data_in = TRUE;
    if (progressive) {
        jpeg_simple_progression(jpeg);
    }
}

static void compress(encoder *e, const sc_picture *picture)
{
    struct jpeg_compress_struct *jpeg = &e->jpeg;
    e->destination.init_destination = on_start;
    e->destination.empty_output_buffer = on_full;
    e->destination.term_destination = on_end;
    jpeg->dest = &e->destination;
    jpeg_start_compress(jpeg, TRUE);
    JSAMPARRAY planes[3] = {e->strip.luma, e->strip.cb, e->strip.cr};
    while (jpeg->next_scanline < jpeg->image_height) {
        sc_strip_fill(&e->strip, picture, (int)jpeg->next_scanline);
        jpeg_write_raw_data(jpeg, planes, sc_strip_rows);
    }
    jpeg_finish_compress(jpeg);
}

// A way to make a JPEG: the fastest that there is, or libjpeg's.
typedef enum way { fastest, library } way;

static int encode_by(encoder *e, const sc_picture *picture, int quality, int progressive, way way)
{
    // Between here and the jump nothing is kept in variables that it could spoil.
    if (setjmp(e->fatal) != 0) {
        return SC_JPEG;
    }
    jpeg_create_compress(&e->jpeg);
    set_parameters(e, picture->frame, quality, progressive);
    if (way == fastest && !progressive && sc_baseline_runs()) {
        return sc_baseline_encode(e->out, picture, &e->jpeg);
    }
    int code = allocate(e, picture->frame);
    if (code == 0) {
        compress(e, picture);
    }
    return code;
}

static int encode(sc_jpeg *out, const sc_picture *picture, int quality, int progressive, way way)
{
    memset(out, 0, sizeof *out);
    encoder *e = calloc(1, sizeof *e);
    if (!e) {
        return AVERROR(ENOMEM);
    }
    e->out = out;
    e->jpeg.err = jpeg_std_error(&e->errors);
    e->jpeg.client_data = e;
    e->errors.error_exit = on_fatal;
    e->errors.output_message = on_message;
    int code = encode_by(e, picture, quality, progressive, way);
    jpeg_destroy_compress(&e->jpeg);
    sc_strip_free(&e->strip);
    free(e);
    if (code < 0) {
        free(out->bytes);
        out->bytes = NULL;
    }
    return code;
}

int sc_jpeg_encode(sc_jpeg *out, const sc_picture *picture, int quality, int progressive)
{
    return encode(out, picture, quality, progressive, fastest);
}

int sc_jpeg_encode_by_library(sc_jpeg *out, const sc_picture *picture, int quality, int progressive)
{
    return encode(out, picture, quality, progressive, library);
}
