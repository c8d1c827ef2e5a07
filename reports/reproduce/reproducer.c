/*
 * @ABOUT@
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#ifndef SECONDS
#define SECONDS @SECONDS@ /* a program that runs longer hangs */
#endif

static const char sentence[] = @SENTENCE@;
static unsigned chosen = @DEVICE@;
static struct shared {
    atomic_int turn; /* keeps the calls of several processes in the recorded order */
    atomic_int is_ended[@PROCESSES@];
    pid_t process[@PROCESSES@];
} *shared;

/* What the judged call returned, or the answer to the judged question. */
static int result;

/* The counter of a timeline. */
static uint64_t value;

/* The image that was acquired. */
static uint32_t image;

/* Factor for the amount of recorded work. */
static unsigned factor = 1;

/* A socket pair for descriptors. */
static int ends[2];

/* The name of a result. */
static const char *name(VkResult code)
{
    static char number[32];

    switch (code) {
    case VK_SUCCESS: return "VK_SUCCESS";
    case VK_NOT_READY: return "VK_NOT_READY";
    case VK_TIMEOUT: return "VK_TIMEOUT";
    case VK_SUBOPTIMAL_KHR: return "VK_SUBOPTIMAL_KHR";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_INVALID_EXTERNAL_HANDLE: return "VK_ERROR_INVALID_EXTERNAL_HANDLE";
    default: snprintf(number, sizeof number, "VkResult(%d)", code); return number;
    }
}

/* Print a sentence and end this process: 0 the driver keeps the rule, 1 it breaks it, 2 nothing was judged. */
static _Noreturn void end(int status, const char *sentence, ...)
{
    va_list values;

    va_start(values, sentence);
    vprintf(sentence, values);
    va_end(values);
    printf("\n");
    fflush(stdout);
    _exit(status);
}

/* A call before the judged one has to end as in the record: with success, an error, or a status between. */
static void same(const char *command, VkResult recorded, VkResult now)
{
    if ((now < 0) != (recorded < 0) || (now > 0) != (recorded > 0))
        end(2, "not judged: %s returned %s here, %s in the record", command, name(now), name(recorded));
}

/* The recorded driver accepted a foreign descriptor; another one may refuse it with this one result. */
static void admit(const char *command, VkResult now)
{
    if (now == VK_ERROR_INVALID_EXTERNAL_HANDLE)
        end(0, "kept: %s refused with %s", command, name(now));
    same(command, VK_SUCCESS, now);
}

/* Judge a call; `is_other_way`: the driver returned before it reached what is judged. */
static _Noreturn void judge(const char *command, VkResult now, int is_kept, int is_other_way)
{
    if (is_other_way)
        end(2, "not judged: %s returned %s here, before the judged behaviour", command, name(now));
    if (is_kept)
        end(0, "kept: %s returned %s", command, name(now));
    end(1, "broken: %s (here %s returned %s)", sentence, command, name(now));
}

/* Judge the answer to a question. */
static _Noreturn void judge_that(const char *question, int is_kept)
{
    if (is_kept)
        end(0, "kept: %s is as it should be", question);
    end(1, "broken: %s", sentence);
}

/* A command of the device, by its name in the core or with KHR. */
static PFN_vkVoidFunction load(VkDevice device, const char *command)
{
    char longer[128];
    PFN_vkVoidFunction found = vkGetDeviceProcAddr(device, command);

    snprintf(longer, sizeof longer, "%sKHR", command);
    if (!found)
        found = vkGetDeviceProcAddr(device, longer);
    if (!found)
        end(2, "not judged: the device has no %s", command);
    return found;
}

#define VK(device, command) ((PFN_vk##command)load(device, "vk" #command))

/* The chosen physical device. */
static VkPhysicalDevice pick(VkInstance instance)
{
    VkPhysicalDevice found[64];
    uint32_t count = 64;

    if (vkEnumeratePhysicalDevices(instance, &count, found) < 0 || count <= chosen)
        end(2, "not judged: there is no physical device %u", chosen);
    return found[chosen];
}

/* End if the device does not claim what this program uses. */
static void needs(VkPhysicalDevice physical, VkExternalSemaphoreHandleTypeFlagBits type, VkSemaphoreType semaphores,
                  VkExternalSemaphoreFeatureFlags features)
{
    VkSemaphoreTypeCreateInfo timeline = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, .semaphoreType = semaphores};
    VkPhysicalDeviceExternalSemaphoreInfo asked = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .pNext = semaphores ? &timeline : NULL, .handleType = type};
    VkExternalSemaphoreProperties found = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};

    vkGetPhysicalDeviceExternalSemaphoreProperties(physical, &asked, &found);
    if (features & ~found.externalSemaphoreFeatures)
        end(2, "not judged: the device does not claim handle type 0x%x of %s semaphores", type,
            semaphores ? "timeline" : "binary");
}

/* Work for the device: fill a buffer again and again. */
static void fill(VkDevice device, VkCommandBuffer command, VkBuffer buffer, VkDeviceSize size, uint32_t repeats)
{
    VkBufferMemoryBarrier barrier = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED, .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .buffer = buffer, .size = VK_WHOLE_SIZE};

    for (uint32_t word = 0; word < repeats * factor; word++) {
        VK(device, CmdFillBuffer)(command, buffer, 0, size, word);
        VK(device, CmdPipelineBarrier)(command, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                       0, 0, NULL, 1, &barrier, 0, NULL);
    }
}

/* A small swapchain in the surface's first format. */
static VkResult make_swapchain(VkPhysicalDevice physical, VkDevice device, VkSurfaceKHR surface, VkSwapchainKHR *made)
{
    VkSurfaceCapabilitiesKHR bounds;
    VkSurfaceFormatKHR format;
    uint32_t count = 1;

    vkGetPhysicalDeviceSurfaceCapabilitiesKHR(physical, surface, &bounds);
    vkGetPhysicalDeviceSurfaceFormatsKHR(physical, surface, &count, &format);
    return VK(device, CreateSwapchainKHR)(device, &(VkSwapchainCreateInfoKHR){
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR, .surface = surface,
        .minImageCount = bounds.minImageCount > 2 ? bounds.minImageCount : 2, .imageFormat = format.format,
        .imageColorSpace = format.colorSpace, .imageExtent = {16, 16}, .imageArrayLayers = 1,
        .imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR, .presentMode = VK_PRESENT_MODE_FIFO_KHR,
        .clipped = VK_TRUE}, NULL, made);
}

/* The first image of a swapchain. */
static VkResult first_image(VkDevice device, VkSwapchainKHR swapchain, VkImage *image)
{
    VkImage found[16];
    uint32_t count = 16;
    VkResult result = VK(device, GetSwapchainImagesKHR)(device, swapchain, &count, found);

    *image = found[0];
    return result;
}

/* Whether a number is an open descriptor of this process. */
static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

/* Whether a descriptor is closed when the process executes a program. */
static int closes_on_exec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* Whether two descriptors are of one open file. */
static int same_file(int one, int other)
{
    return syscall(SYS_kcmp, getpid(), getpid(), 0, one, other) == 0;
}

/* Another descriptor of the same open file. */
static int copy(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* Send a descriptor to another process of this program. */
static void send_fd(int fd)
{
    char space[CMSG_SPACE(sizeof fd)] = {0}, byte = 'd';
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    sendmsg(ends[0], &message, 0);
}

/* Receive the descriptor that was sent first. */
static int receive_fd(void)
{
    char space[CMSG_SPACE(sizeof(int))], byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    int fd = -1;

    if (recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Descriptors that fill the table of this process. */
static int held[1024], holding;

/* Fill the table but for `room` descriptors. */
static void fill_table(int room)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_cur < 256 ? limit.rlim_cur : 256;
    setrlimit(RLIMIT_NOFILE, &limit);
    while ((held[holding] = open("/dev/null", O_RDONLY)) >= 0)
        holding++;
    while (room-- > 0 && holding > 0)
        close(held[--holding]);
}

/* Close them again. */
static void empty_table(void)
{
    struct rlimit limit;

    while (holding > 0)
        close(held[--holding]);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Wait for this process's turn in the recorded order. */
static void take_turn(int number)
{
    while (shared->turn < number)
        usleep(100);
}

/* Kill another process. */
static void end_process(int number)
{
    shared->is_ended[number] = 1;
    kill(shared->process[number], SIGKILL);
}

/* Start every process, wait for them, and tell the outcome. */
int main(int argc, char **argv)
{
    static void (*const steps[])(void) = {@STEPS@};
    int status, broken = -1;
    pid_t ended;

    chosen = argc > 1 ? (unsigned)atoi(argv[1]) : chosen;
    factor = argc > 2 ? (unsigned)atoi(argv[2]) : factor;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return 2;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < @PROCESSES@; i++) {
        if (!(ended = fork())) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            steps[i]();
            pause();
        }
        shared->process[i] = ended;
    }
    for (int i = 0; broken < 0 && i < SECONDS * 1000; i++, usleep(1000))
        while (broken < 0 && (ended = waitpid(-1, &status, WNOHANG)) > 0) {
            int number = 0;

            while (shared->process[number] != ended)
                number++;
            if (WIFEXITED(status))
                broken = WEXITSTATUS(status);
            else if (!shared->is_ended[number])
                broken = 1, printf("broken: %s (here it died of signal %d)\n", sentence, WTERMSIG(status));
        }
    for (int i = 0; i < @PROCESSES@; i++)
        if (shared->process[i] > 0)
            kill(shared->process[i], SIGKILL);
    if (broken < 0)
        printf("broken: %s (here it did not end in %d s)\n", sentence, SECONDS);
    return broken < 0 ? 1 : broken;
}
