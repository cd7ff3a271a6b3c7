#include "jpeg.h"

#include <setjmp.h>
#include <stdio.h> // jpeglib.h needs it
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

enum {
    strip_rows = 16, // an MCU of 4:2:0
    chroma_rows = strip_rows / 2,
};

// One encoding. It is a fresh one for each picture: libjpeg-turbo 2.1 keeps the Huffman tables of a progressive picture
// and writes the next baseline one with them, which no one can read.
typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf fatal;
    sc_jpeg *out;
    size_t capacity, most;

    int stride;       // of luma, whole MCUs
    uint8_t *samples; // a strip: luma, Cb, Cr
    int16_t *scratch;
    JSAMPROW luma[strip_rows], cb[chroma_rows], cr[chroma_rows];
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
    e->stride = (frame->width + 15) / 16 * 16;
    size_t stride = (size_t)e->stride;
    size_t rows = (size_t)(frame->height + strip_rows - 1) / strip_rows * strip_rows;
    e->most = stride * rows * 6 + (64 << 10); // noise at quality 100 has less than 5 bytes a pixel, in whole MCUs
    e->capacity = (size_t)frame->width * (size_t)frame->height / 4 + (16 << 10);
    e->out->bytes = malloc(e->capacity);
    e->samples = malloc(stride * strip_rows + stride * chroma_rows);
    e->scratch = malloc(stride * 2 * sizeof *e->scratch);
    if (!e->out->bytes || !e->samples || !e->scratch) {
        return AVERROR(ENOMEM);
    }
    uint8_t *cb = e->samples + stride * strip_rows;
    uint8_t *cr = cb + stride / 2 * chroma_rows;
    for (int i = 0; i < strip_rows; i++) {
        e->luma[i] = e->samples + stride * (size_t)i;
    }
    for (int i = 0; i < chroma_rows; i++) {
        e->cb[i] = cb + stride / 2 * (size_t)i;
        e->cr[i] = cr + stride / 2 * (size_t)i;
    }
    return 0;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

// extend repeats the last pixel of a row up to a whole MCU.
static void extend(uint8_t *row, int width, int stride)
{
    memset(row + width, row[width - 1], (size_t)(stride - width));
}

// fill_strip converts the strip that begins at row top. Below the picture its last row is repeated.
static void fill_strip(encoder *e, const sc_picture *picture, int top)
{
    const AVFrame *frame = picture->frame;
    int last = frame->height - 1, half = (frame->width + 1) / 2;
    for (int i = 0; i < chroma_rows; i++) {
        ptrdiff_t chroma = smaller(top / 2 + i, last / 2);
        ptrdiff_t upper = smaller(top + 2 * i, last), lower = smaller(top + 2 * i + 1, last);
        sc_rows from = {
            .luma = {frame->data[0] + upper * frame->linesize[0], frame->data[0] + lower * frame->linesize[0]},
            .cb = frame->data[1] + chroma * frame->linesize[1],
            .cr = frame->data[2] + chroma * frame->linesize[2],
        };
        sc_target to = {
            .luma = {e->luma[2 * i], e->luma[2 * i + 1]},
            .cb = e->cb[i],
            .cr = e->cr[i],
            .scratch = e->scratch,
        };
        sc_colour_convert(&picture->colour, &from, &to, frame->width);
        extend(to.luma[0], frame->width, e->stride);
        extend(to.luma[1], frame->width, e->stride);
        extend(to.cb, half, e->stride / 2);
        extend(to.cr, half, e->stride / 2);
    }
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

static void compress(encoder *e, const sc_picture *picture, int quality, int progressive)
{
    struct jpeg_compress_struct *jpeg = &e->jpeg;
    jpeg_create_compress(jpeg);
    e->destination.init_destination = on_start;
    e->destination.empty_output_buffer = on_full;
    e->destination.term_destination = on_end;
    jpeg->dest = &e->destination;
    set_parameters(e, picture->frame, quality, progressive);
    jpeg_start_compress(jpeg, TRUE);
    JSAMPARRAY planes[3] = {e->luma, e->cb, e->cr};
    while (jpeg->next_scanline < jpeg->image_height) {
        fill_strip(e, picture, (int)jpeg->next_scanline);
        jpeg_write_raw_data(jpeg, planes, strip_rows);
    }
    jpeg_finish_compress(jpeg);
}

int sc_jpeg_encode(sc_jpeg *out, const sc_picture *picture, int quality, int progressive)
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
    int code = allocate(e, picture->frame);
    if (code == 0) {
        // Between here and the jump nothing is kept in variables that it could spoil.
        if (setjmp(e->fatal) == 0) {
            compress(e, picture, quality, progressive);
        } else {
            e->out->size = 0;
        }
        code = e->out->size > 0 ? 0 : SC_JPEG;
    }
    jpeg_destroy_compress(&e->jpeg);
    free(e->samples);
    free(e->scratch);
    free(e);
    if (code < 0) {
        free(out->bytes);
        out->bytes = NULL;
    }
    return code;
}
