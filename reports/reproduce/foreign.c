/* Foreign descriptors: they are of no semaphore. `end` is in reproducer.c. */

/* A memory file with `size` bytes, 0 1 2 ... or all zero. */
static int memory_file(size_t size, int is_noise)
{
    int fd = memfd_create("stranger", MFD_CLOEXEC);

    for (size_t i = 0; i < size; i++)
        if (write(fd, &(char){is_noise ? (char)i : 0}, 1) != 1)
            end(2, "not judged: a memory file cannot be written");
    return fd;
}

/* A number that is no open descriptor. */
static int closed(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

/* A file in memory with these bytes. */
static int file_of(const char *bytes, size_t size)
{
    int fd = memfd_create("stranger", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        end(2, "not judged: no file in memory can be made");
    return fd;
}

/* One end of a pipe whose other end is closed. */
static int pipe_end(int index)
{
    int made[2];

    if (pipe2(made, O_CLOEXEC))
        end(2, "not judged: no pipe can be made");
    close(made[1 - index]);
    return made[index];
}

/* A socket whose peer is closed. */
static int lone_socket(void)
{
    int made[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made))
        end(2, "not judged: no socket can be made");
    close(made[1]);
    return made[0];
}

/* A file that no longer has a name, with some text in it. */
static int regular_file(void)
{
    FILE *file = tmpfile();

    for (int i = 0; file && i < 400; i++)
        fputs("no semaphore", file);
    if (!file || fflush(file))
        end(2, "not judged: no file can be made");
    return dup(fileno(file));
}
